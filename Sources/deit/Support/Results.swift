import Foundation
import Storage

/// Results on standard output, whose loss is a failure.
enum Results {
    /// Writes a result and a newline.
    static func print(_ text: String) throws(CommandFailure) {
        try write(text + "\n")
    }

    /// Writes text, with control characters of names in it spelled out.
    ///
    /// A reader that went away, as in `deit models | head`, is no failure; a full disk is one.
    ///
    /// - Returns: Whether anybody still reads.
    @discardableResult
    static func write(_ text: String) throws(CommandFailure) -> Bool {
        var rest = Array(TerminalText.safe(text).utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes {
                Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count)
            }
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if written < 0, errno == EPIPE {
                return false
            } else if written == 0 || errno != EINTR {
                let reason = String(cString: strerror(errno))
                throw CommandFailure(
                    "cannot write the result to standard output: \(reason)",
                    exitCode: CommandFailure.other
                )
            }
        }
        return true
    }
}
