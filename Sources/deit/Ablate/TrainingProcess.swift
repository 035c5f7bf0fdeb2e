import Foundation
import Synchronization
import Training

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// `deit` in a process of its own, so that the memory of one run is gone before the next.
///
/// The process saves and ends when this one is gone, even killed; see ``Lifeline``.
final class TrainingProcess {
    /// How it ended.
    struct End {
        /// The exit code, or 128 and the signal's number.
        let code: Int32
        /// The last error that it printed.
        let failure: String
    }

    private let process = Process()
    private let lifeline = Pipe()
    private let log: String

    init(_ arguments: [String], log: String) {
        self.log = log
        #if os(Linux)
        // The very program that runs, even if its file has been replaced by now.
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe")
        #else
        process.executableURL = Bundle.main.executableURL
        #endif
        process.arguments = arguments
        process.standardInput = lifeline
        process.environment = ProcessInfo.processInfo.environment
            .merging([Lifeline.variable: "1"]) { _, new in new }
    }

    /// Runs it to its end.
    ///
    /// - Parameters:
    ///   - child: Holds the process while it runs.
    ///   - tick: Called twice a second.
    /// - Returns: How it ended.
    /// - Throws: `CommandFailure` where it cannot be started.
    func run(_ child: RunningChild, tick: () -> Void) async throws -> End {
        let output = try openLog()
        defer { try? output.close() }
        process.standardOutput = output
        process.standardError = output
        let (ended, end) = AsyncStream<Int32>.makeStream()
        process.terminationHandler = { process in
            let isSignal = process.terminationReason == .uncaughtSignal
            end.yield((isSignal ? 128 : 0) + process.terminationStatus)
            end.finish()
        }
        do {
            try process.run()
        } catch {
            throw CommandFailure(
                "cannot start a run: \(error.localizedDescription)",
                exitCode: CommandFailure.other
            )
        }
        child.started(process.processIdentifier)
        while process.isRunning {
            tick()
            try? await Task.sleep(for: .milliseconds(500))
        }
        var code: Int32 = -1
        for await value in ended { code = value }
        child.ended()
        return End(code: code, failure: failure(code))
    }

    private func openLog() throws -> FileHandle {
        let descriptor = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw RunError.cannotWrite(path: log, reason: String(cString: strerror(errno)))
        }
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    /// The last error in the log, without the name of the command.
    private func failure(_ code: Int32) -> String {
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        let prefix = "deit: error: "
        let told = text.split(separator: "\n").last { $0.hasPrefix(prefix) }
        if let told, code < 128 { return String(told.dropFirst(prefix.count)) }
        let lack = code == 128 + SIGKILL ? "; is there enough memory?" : ""
        return code > 128
            ? "its process was ended by signal \(code - 128)\(lack)"
            : "its process ended with code \(code)"
    }
}

/// The process that a wish to stop is handed on to; the run then saves and ends.
final class RunningChild: Sendable {
    private struct State {
        var process: pid_t?
        var isToStop = false
    }

    private let state = Mutex(State())

    func started(_ process: pid_t) {
        state.withLock { state in
            state.process = process
            if state.isToStop { kill(process, SIGTERM) }
        }
    }

    func ended() { state.withLock { $0.process = nil } }

    func stop() {
        state.withLock { state in
            state.isToStop = true
            if let process = state.process { kill(process, SIGTERM) }
        }
    }
}
