import Foundation
import Storage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What the command writes: results and progress to standard output, complaints to standard error.
///
/// Text may hold names from files, so everything passes `TerminalText`.
enum Console {
    /// Whether standard output is a terminal.
    static let isTerminal = isatty(STDOUT_FILENO) == 1

    /// Writes a line, at once even into a pipe.
    static func line(_ text: String) {
        write(TerminalText.safe(text) + "\n", to: STDOUT_FILENO)
    }

    /// Replaces the terminal's current line.
    static func update(_ text: String) {
        write("\r\u{1B}[K" + TerminalText.safe(text), to: STDOUT_FILENO)
    }

    /// Writes one sentence to standard error.
    static func complain(_ text: String) {
        write("deit: \(TerminalText.safe(text))\n", to: STDERR_FILENO)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        // A reader that went away, as in `deit … | head`, is no reason to stop training.
        try? Descriptor.write(Array(text.utf8), to: descriptor)
    }
}
