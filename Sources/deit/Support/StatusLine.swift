import Foundation
import Storage

/// Progress on standard error, which is shown on a terminal only and leaves nothing behind.
final class StatusLine {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let start = ContinuousClock.now
    private var lastShown = ContinuousClock.now

    /// Shows how far the work is, at most ten times a second.
    func show(_ done: Int, of total: Int, _ what: String) {
        guard isTerminal, ContinuousClock.now - lastShown > .milliseconds(100) else { return }
        lastShown = .now
        let seconds = (lastShown - start) / .seconds(1)
        let rate = Double(done) / max(seconds, 1e-9)
        let left = Int((Double(total - done) / max(rate, 1e-9)).rounded(.up))
        write(
            "\r\u{1B}[K\(done)/\(total) \(TerminalText.safe(what)), \(Int(rate))/s, \(left) s left"
        )
    }

    /// Removes the line.
    func clear() {
        if isTerminal { write("\r\u{1B}[K") }
    }

    /// Tells something that is no result.
    static func note(_ text: String) {
        FileHandle.standardError.write(Data("deit: \(TerminalText.safe(text))\n".utf8))
    }

    private func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}
