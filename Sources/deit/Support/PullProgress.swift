import Foundation
import Hub
import Storage
import Synchronization

/// Shows on standard error how a pull goes: one updating line on a terminal, plain lines elsewhere.
final class PullProgress: Sendable {
    private struct State {
        var file = ""
        var begun = ContinuousClock.now
        var bytesAtBegin = 0
        var shown = ContinuousClock.now
    }

    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let state = Mutex(State())

    /// Shows an event.
    @Sendable func show(_ event: HubEvent) {
        switch event {
        case .planned(let commit, let bytes, let files):
            guard files > 0 else { return }
            let size = bytes.map { ", \(Self.size($0))" } ?? ""
            note(
                "downloading \(files) file\(files == 1 ? "" : "s")\(size), of commit \(commit.prefix(12))"
            )
        case .waiting(let file): note("another process is downloading \(file); waiting for it")
        case .received(let file, let bytes, let size): received(file, bytes, size)
        case .retrying(let what, let reason, let pause):
            let seconds = String(format: "%.1f", pause / .seconds(1))
            note("\(what): \(reason); trying again in \(seconds) s")
        case .finished(let file, let size, _): note("\(file) \(Self.size(size))")
        }
    }

    /// Removes the updating line.
    func clear() {
        if isTerminal { write("\r\u{1B}[K") }
    }

    private func received(_ file: String, _ bytes: Int, _ size: Int?) {
        let now = ContinuousClock.now
        let interval: Duration = isTerminal ? .milliseconds(200) : .seconds(10)
        let text: String? = state.withLock { state in
            if state.file != file {
                state = State(file: file, begun: now, bytesAtBegin: bytes, shown: now)
            }
            guard now - state.shown >= interval else { return nil }
            state.shown = now
            let rate = Double(bytes - state.bytesAtBegin) / ((now - state.begun) / .seconds(1))
            var parts = "\(file)  \(Self.size(bytes))"
            if let size { parts += " of \(Self.size(size))" }
            parts += "  \(Self.size(Int(max(rate, 0))))/s"
            if let size, rate > 0 {
                let left = min(Double(size - bytes) / rate, 1e9)
                parts += "  ETA \(ProgressPrinter.time(.seconds(Int(left.rounded(.up)))))"
            }
            return parts
        }
        guard let text else { return }
        if isTerminal {
            write("\r\u{1B}[K" + TerminalText.safe(text))
        } else {
            StatusLine.note(text)
        }
    }

    private func note(_ text: String) {
        clear()
        StatusLine.note(text)
    }

    private func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }

    /// A number of bytes in decimal units, as file managers and Python's hub client show it.
    static func size(_ bytes: Int) -> String {
        switch bytes {
        case ..<1_000: "\(bytes) B"
        case ..<1_000_000: String(format: "%.1f kB", Double(bytes) / 1e3)
        case ..<1_000_000_000: String(format: "%.1f MB", Double(bytes) / 1e6)
        default: String(format: "%.2f GB", Double(bytes) / 1e9)
        }
    }
}
