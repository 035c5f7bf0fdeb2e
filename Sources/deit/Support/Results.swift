import Foundation

/// Results on standard output, whose loss is a failure.
enum Results {
    /// Writes a result and a newline.
    ///
    /// A reader that went away, as in `deit models | head`, is no failure; a full disk is one.
    static func print(_ text: String) throws(CommandFailure) {
        var rest = Array((text + "\n").utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes {
                Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count)
            }
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if written < 0, errno == EPIPE {
                return
            } else if written == 0 || errno != EINTR {
                let reason = String(cString: strerror(errno))
                throw CommandFailure(
                    "cannot write the result to standard output: \(reason)",
                    exitCode: CommandFailure.other
                )
            }
        }
    }
}
