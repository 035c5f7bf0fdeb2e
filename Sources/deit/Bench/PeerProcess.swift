import Foundation

/// Another library in a process of its own, which keeps its models from one question to the next.
///
/// It runs `Benchmarks/peers/measure.py`, which tells the form of questions and answers.
final class PeerProcess {
    /// What is measured.
    struct Question: Encodable {
        var kind: String
        var model: String
        var batch: Int
        var peer: String
        var seconds: Double
    }

    /// What was measured, or why nothing was.
    struct Answer: Decodable {
        var imagesPerSecond: Double?
        var p50Milliseconds: Double?
        var p95Milliseconds: Double?
        var peakMemoryMiB: Double?
        /// The work of all threads for this answer; this library's own measurement does not say.
        var cpuSeconds: Double?
        var error: String?

        enum CodingKeys: String, CodingKey {
            case error
            case imagesPerSecond = "images_per_second"
            case p50Milliseconds = "p50_ms"
            case p95Milliseconds = "p95_ms"
            case peakMemoryMiB = "peak_memory_mib"
            case cpuSeconds = "cpu_seconds"
        }
    }

    private let process = Process()
    private let questions = Pipe()
    private let answers = Pipe()
    private var rest = Data()

    /// Starts a process.
    ///
    /// - Parameter python: The interpreter of an environment with timm, ONNX Runtime and OpenVINO.
    /// - Throws: `CommandFailure` when it cannot be started.
    init(python: String) throws {
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["-c", Self.program]
        process.standardInput = questions
        process.standardOutput = answers
        process.standardError = FileHandle.nullDevice
        // A peer is measured as its users run it, not with the way of waiting that `deit` sets for itself.
        var environment = ProcessInfo.processInfo.environment
        environment["GOMP_SPINCOUNT"] = nil
        process.environment = environment
        do {
            try process.run()
        } catch {
            throw CommandFailure(
                "cannot start \(python): \(error.localizedDescription); set PEERS_PYTHON to a Python",
                exitCode: CommandFailure.wrongCall
            )
        }
    }

    /// `measure.py`, and before it the module that it imports, which as text has no folder to be found in.
    private static var program: String {
        [
            String(decoding: PackageResources.torchvision_stub_py, as: UTF8.self),
            "sys.modules['torchvision_stub'] = sys.modules[__name__]",
            String(decoding: PackageResources.measure_py, as: UTF8.self),
        ].joined(separator: "\n")
    }

    deinit {
        try? questions.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// Asks and waits for the answer.
    func ask(_ question: Question) throws -> Answer {
        var line = try JSONEncoder().encode(question)
        line.append(UInt8(ascii: "\n"))
        // Where the process has gone the answers end too, and that is reported below.
        try? questions.fileHandleForWriting.write(contentsOf: line)
        while true {
            if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                let answer = Data(rest[..<end])
                rest = Data(rest[rest.index(after: end)...])
                return try JSONDecoder().decode(Answer.self, from: answer)
            }
            let more = answers.fileHandleForReading.availableData
            guard !more.isEmpty else {
                return Answer(error: "its process ended; are timm and \(question.peer) installed?")
            }
            rest.append(more)
        }
    }
}
