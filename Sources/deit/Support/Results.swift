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
        do throws(SystemError) {
            try Descriptor.write(Array(TerminalText.safe(text).utf8), to: STDOUT_FILENO)
            return true
        } catch {
            if error.code == EPIPE { return false }
            throw CommandFailure(
                "cannot write the result to standard output: \(error.reason)",
                exitCode: CommandFailure.other
            )
        }
    }
}
