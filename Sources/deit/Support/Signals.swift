import Dispatch
import Foundation
import Training

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Turns SIGINT and SIGTERM into a wish to stop; the second one ends the process at once.
final class Signals {
    private let sources: [any DispatchSourceSignal]

    init(_ stop: StopRequest) {
        let queue = DispatchQueue(label: "deit.signals")
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                if !stop.request(signal: number) { _exit(128 + number) }
                if Console.isTerminal { Console.line("") }
                Console.complain(
                    "stopping after this step; press Ctrl-C again to stop at once, without saving"
                )
            }
            source.resume()
            return source
        }
    }

    /// A broken pipe or a file-size limit is an error of one call, not the end of the process.
    static func ignoreWriteSignals() {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
    }
}
