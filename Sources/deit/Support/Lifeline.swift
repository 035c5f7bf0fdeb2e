import Foundation
import Training

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Ends a run whose study is gone: no signal tells a process that the one that started it was killed.
///
/// The study holds the other end of the run's standard input, and never writes. When the study ends, however it does, the
/// system closes that end.
enum Lifeline {
    /// The variable that tells a run that its standard input is such a line.
    static let variable = "DEIT_LIFELINE"

    /// Asks for a stop when the other end of standard input is closed, where the variable says that this means something.
    ///
    /// - Parameter stop: Is asked to stop, as by SIGTERM: the run saves and can be resumed.
    static func watch(_ stop: StopRequest) {
        guard ProcessInfo.processInfo.environment[variable] != nil else { return }
        // Reading blocks, and no thread of tasks should.
        Thread.detachNewThread {
            var byte: UInt8 = 0
            var count = 0
            repeat {
                count = read(STDIN_FILENO, &byte, 1)
            } while count > 0 || (count < 0 && errno == EINTR)
            guard stop.request(signal: SIGTERM) else { return }
            Console.complain("stopping after this step: the study that started this run has ended")
        }
    }
}
