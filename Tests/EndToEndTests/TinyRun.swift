import Foundation
import Testing

/// A run's folder as tests look at it.
struct TinyRun {
    let folder: URL

    /// Options that train a small transformer on ``TinyData`` in a second or two.
    static let options = [
        "--model", "deit_nano_distilled_patch4_28", "--size", "8", "--dtype", "fp32", "--threads",
        "1",
        "--workers", "2", "--batch", "8", "--crop-padding", "1", "--flip", "0", "--drop-path",
        "0.2",
        "--warmup-epochs", "1", "--ema", "0.9", "--log-interval", "1",
    ]

    func data(_ path: String) throws -> Data { try Data(contentsOf: folder.appending(path: path)) }

    /// The steps that have records so far.
    var recordedSteps: Int {
        let text =
            (try? String(contentsOf: folder.appending(path: "metrics.jsonl"), encoding: .utf8))
            ?? ""
        return text.split(separator: "\n").filter { $0.contains("\"event\":\"step\"") }.count
    }

    /// All records without what depends on the clock.
    func records() throws -> [NSDictionary] {
        let text = String(decoding: try data("metrics.jsonl"), as: UTF8.self)
        return try text.split(separator: "\n").map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return timeless(try #require(object)) as NSDictionary
        }
    }

    /// The trainer's counters without what depends on the clock.
    func trainerState() throws -> NSDictionary {
        let object = try JSONSerialization.jsonObject(with: data("checkpoints/last/trainer.json"))
        return timeless(try #require(object as? [String: Any])) as NSDictionary
    }

    /// Expects the same weights, memory, counters and records as another run, bit for bit.
    func expectEqual(_ other: TinyRun, location: SourceLocation = #_sourceLocation) throws {
        for file in [
            "last/model.safetensors", "last/trainer.safetensors", "best/model.safetensors",
        ] {
            let same = try data("checkpoints/\(file)") == other.data("checkpoints/\(file)")
            #expect(same, "\(file) differs", sourceLocation: location)
        }
        #expect(try trainerState() == other.trainerState(), sourceLocation: location)
        let records = try records()
        let others = try other.records()
        #expect(records.count == others.count, sourceLocation: location)
        for index in 0..<min(records.count, others.count) {
            #expect(records[index] == others[index], sourceLocation: location)
        }
    }

    /// Trains into this folder, stopped by SIGTERM once so many steps are recorded, far enough from the last one, and resumed.
    func trainStopped(
        _ command: [String],
        _ options: [String],
        after steps: Int,
        location: SourceLocation = #_sourceLocation
    ) async throws {
        let (name, parent) = (folder.lastPathComponent, folder.deletingLastPathComponent())
        let running = try DeitCommand.start(command + options + ["--output", name], in: parent)
        await running.send(SIGTERM) { recordedSteps >= steps }
        let stopped = try await running.result()
        #expect(stopped.code == 128 + SIGTERM, "\(stopped.errors)", sourceLocation: location)
        let words = "deit \(command.joined(separator: " ")) --resume --output \(name)"
        #expect(stopped.output.contains("continue with: \(words)"), sourceLocation: location)
        let resumed = try await DeitCommand.run(
            command + ["--resume", "--output", name],
            in: parent
        )
        #expect(resumed.code == 0, "\(resumed.errors)", sourceLocation: location)
    }

    private func timeless(_ object: [String: Any]) -> [String: Any] {
        // The length of metrics.jsonl varies with the digits of its times.
        let clocked: Set<String> = [
            "seconds", "images_per_second", "data_wait", "waiting", "metricsLength",
        ]
        var result: [String: Any] = [:]
        for (key, value) in object where !clocked.contains(key) {
            result[key] = (value as? [String: Any]).map(timeless) ?? value
        }
        return result
    }
}
