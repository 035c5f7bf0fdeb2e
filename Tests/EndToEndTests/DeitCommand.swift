import Foundation
import Testing

/// What a run of the command left behind.
struct CommandResult {
    let code: Int32
    let output: String
    let errors: String

    /// Expects a refusal: the code, one sentence that begins with `deit: error:` and holds some words.
    func expectRefusal(
        _ code: Int32,
        saying words: String...,
        location: SourceLocation = #_sourceLocation
    ) {
        #expect(self.code == code, "\(errors)", sourceLocation: location)
        let lines = errors.split(separator: "\n").filter { $0.hasPrefix("deit: error:") }
        #expect(lines.count == 1, "\(errors)", sourceLocation: location)
        #expect(
            !errors.contains("Fatal error") && !errors.contains(" at /"),
            "\(errors)",
            sourceLocation: location
        )
        for word in words {
            #expect(errors.contains(word), "no \"\(word)\" in: \(errors)", sourceLocation: location)
        }
    }
}

/// The built command, as a user starts it.
enum DeitCommand {
    /// The binary beside this test bundle, or the one that `DEIT_BINARY` names.
    static let binary: URL = {
        if let path = ProcessInfo.processInfo.environment["DEIT_BINARY"] {
            return URL(filePath: path)
        }
        let bundles =
            Bundle.allBundles.map(\.bundleURL) + [
                URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            ]
        let folders = bundles.map { $0.deletingLastPathComponent() }
        let found = folders.map { $0.appending(path: "deit") }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
        return found ?? URL(filePath: ".build/debug/deit")
    }()

    /// Runs the command to its end.
    static func run(
        _ arguments: [String],
        in folder: URL,
        environment: [String: String] = [:]
    ) async throws -> CommandResult {
        try await start(arguments, in: folder, environment: environment).result()
    }

    /// Starts the command.
    ///
    /// Kernels and threads are fixed: the choice between kernels is timed, and two runs of a test may choose
    /// differently and then round differently. No test asks a hub but one of its own, or looks into the user's cache.
    static func start(
        _ arguments: [String],
        in folder: URL,
        environment: [String: String] = [:],
        program: URL? = nil
    ) throws -> RunningCommand {
        let process = Process()
        process.executableURL = program ?? binary
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = ProcessInfo.processInfo.environment
            .merging([
                "DEIT_COMPUTE": "libtorch", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1",
                "HF_HOME": folder.appending(path: "hf-home").path, "HF_ENDPOINT": "",
                "HF_TOKEN": "", "no_proxy": "127.0.0.1",
                "HF_HUB_CACHE": "", "HUGGINGFACE_HUB_CACHE": "", "HF_TOKEN_PATH": "",
            ]) { _, new in new }
            .merging(environment) { _, new in new }
        return try RunningCommand(process, folder: folder)
    }
}

/// A command that may still be running.
///
/// Its output goes to files, so that a full pipe cannot stop it.
final class RunningCommand {
    let process: Process
    private let outputFile: URL
    private let errorFile: URL
    private let ended: AsyncStream<Int32>

    init(_ process: Process, folder: URL) throws {
        self.process = process
        let name = UUID().uuidString
        outputFile = folder.appending(path: "\(name).out")
        errorFile = folder.appending(path: "\(name).err")
        for file in [outputFile, errorFile] { try Data().write(to: file) }
        process.standardOutput = try FileHandle(forWritingTo: outputFile)
        process.standardError = try FileHandle(forWritingTo: errorFile)
        process.standardInput = FileHandle.nullDevice
        let (stream, continuation) = AsyncStream<Int32>.makeStream()
        process.terminationHandler = { process in
            // A process that a signal ended has the code that a shell would tell.
            let code = process.terminationStatus
            continuation.yield(process.terminationReason == .uncaughtSignal ? 128 + code : code)
            continuation.finish()
        }
        ended = stream
        try process.run()
    }

    /// Waits for the end.
    func result() async throws -> CommandResult {
        var code: Int32 = -1
        for await value in ended { code = value }
        defer {
            try? FileManager.default.removeItem(at: outputFile)
            try? FileManager.default.removeItem(at: errorFile)
        }
        return CommandResult(
            code: code,
            output: try String(contentsOf: outputFile, encoding: .utf8),
            errors: try String(contentsOf: errorFile, encoding: .utf8)
        )
    }

    /// Waits until a condition holds, or the process has ended.
    func wait(until condition: () -> Bool) async throws {
        while process.isRunning, !condition() { try await Task.sleep(for: .milliseconds(3)) }
    }

    /// Sends a signal as soon as a condition holds; nothing is sent to a process that has ended.
    ///
    /// A thread of its own looks, since the threads of tasks may all be busy with other tests, and the command would
    /// be at its end before they look again.
    func send(_ signal: Int32, when condition: @escaping @Sendable () -> Bool) async {
        let identifier = process.processIdentifier
        let isRunning: @Sendable () -> Bool = { [process] in process.isRunning }
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                while isRunning(), !condition() { usleep(2000) }
                if isRunning() { kill(identifier, signal) }
                continuation.resume()
            }
        }
    }

    /// Sends a signal.
    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }
}
