import Dispatch
import Foundation
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Turns SIGINT and SIGTERM into a call, once; the second one ends the process at once.
final class Interruption {
    private let sources: [any DispatchSourceSignal]
    private let received = Received()

    /// The exit code of the signal.
    var exitCode: Int32 { 128 + (received.first ?? SIGINT) }

    /// The signal that was received first; nil for none.
    var signal: Int32? { received.first }

    init(_ action: @escaping @Sendable () -> Void) {
        let received = received
        sources = [SIGINT, SIGTERM].map { number in
            #if canImport(Glibc)
            Glibc.signal(number, SIG_IGN)
            #elseif canImport(Musl)
            Musl.signal(number, SIG_IGN)
            #else
            Darwin.signal(number, SIG_IGN)
            #endif
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                guard received.add(number) else { _exit(128 + number) }
                action()
            }
            source.resume()
            return source
        }
    }

    deinit { for source in sources { source.cancel() } }

    private final class Received: Sendable {
        private let number = Mutex<Int32?>(nil)

        var first: Int32? { number.withLock { $0 } }

        /// Whether this is the first signal.
        func add(_ signal: Int32) -> Bool {
            number.withLock { number in
                if number != nil { return false }
                number = signal
                return true
            }
        }
    }
}
