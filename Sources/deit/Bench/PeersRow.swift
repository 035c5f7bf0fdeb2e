import Checkpoints
import Foundation
import Storage

/// The rates of this library and of its peers for one model, batch and type.
struct PeersRow {
    var kind: String
    var model: String
    var batch: Int
    var dtype: String

    /// How many rounds there were.
    private(set) var rounds = 0
    private var disturbed: [Double] = []
    private var names: [String] = []
    private var rates: [String: [Double]] = [:]
    private var latencies: [String: (p50: [Double], p95: [Double])] = [:]
    private var memory: [String: Double] = [:]
    private var errors: [String: String] = [:]

    init(kind: String, model: String, batch: Int, dtype: String) {
        self.kind = kind
        self.model = model
        self.batch = batch
        self.dtype = dtype
    }

    /// Adds what one round measured.
    mutating func add(_ round: PeersRound, isDisturbed: Bool) {
        rounds += 1
        if isDisturbed { disturbed.append(round.others) }
        for (name, answer) in round.answers { add(name, answer) }
    }

    /// Adds what one of the round measured, or why it did not.
    mutating func add(_ name: String, _ answer: PeerProcess.Answer) {
        if !names.contains(name) { names.append(name) }
        if let p50 = answer.p50Milliseconds, let p95 = answer.p95Milliseconds {
            latencies[name, default: ([], [])].p50.append(p50)
            latencies[name, default: ([], [])].p95.append(p95)
        }
        if let rate = answer.imagesPerSecond { rates[name, default: []].append(rate) }
        if let peak = answer.peakMemoryMiB { memory[name] = max(memory[name] ?? 0, peak) }
        if let error = answer.error { errors[name] = error }
    }

    /// The median of the rounds' medians.
    private func rate(_ name: String) -> Double? { rates[name].flatMap(Self.median) }

    /// The medians of the rounds' 50th and 95th percentiles, in milliseconds.
    private func latency(_ name: String) -> (p50: Double, p95: Double)? {
        guard let all = latencies[name], let p50 = Self.median(all.p50),
            let p95 = Self.median(all.p95)
        else { return nil }
        return (p50, p95)
    }

    private static func median(_ values: [Double]) -> Double? {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return nil }
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    private func ratio(_ name: String) -> Double? {
        guard name != "deit", let ours = rate("deit"), let theirs = rate(name), theirs > 0
        else { return nil }
        return ours / theirs
    }

    /// A block of lines for a terminal.
    var text: String {
        var lines = ["\(kind), \(model), batch \(batch), \(dtype)"]
        for name in names {
            let label = name.padding(toLength: 18, withPad: " ", startingAt: 0)
            guard let rate = rate(name) else {
                lines.append("  \(label) skipped: \(errors[name] ?? "no answer")")
                continue
            }
            var line = "  \(label) " + String(format: "%8.2f images/s", rate)
            if let peak = memory[name] { line += String(format: "  %6.0f MiB", peak) }
            if batch == 1, let (p50, p95) = latency(name) {
                line += String(format: "  p50 %6.2f ms, p95 %6.2f ms", p50, p95)
            }
            if let ratio = ratio(name) { line += String(format: "  deit is %.2f times it", ratio) }
            lines.append(line)
        }
        if let most = disturbed.max() {
            lines.append(
                "  \(disturbed.count) of \(rounds) rounds beside other load, of up to "
                    + String(format: "%.0f %% of the processors", 100 * most)
            )
        }
        return lines.joined(separator: "\n")
    }

    /// One object for programs.
    var json: JSONValue {
        var measured = JSONObject()
        for name in names {
            var entry = JSONObject()
            if let rate = rate(name) { entry["images_per_second"] = .number(rate) }
            if let rounds = rates[name] { entry["rounds"] = .array(rounds.map { .number($0) }) }
            if let (p50, p95) = latency(name) {
                entry["p50_ms"] = .number(p50)
                entry["p95_ms"] = .number(p95)
            }
            if let peak = memory[name] { entry["peak_memory_mib"] = .number(peak) }
            if let ratio = ratio(name) { entry["ratio"] = .number(ratio) }
            if let error = errors[name] { entry["error"] = .string(error) }
            measured[name] = .object(entry)
        }
        return .object([
            "kind": .string(kind), "model": .string(model), "batch": .integer(batch),
            "dtype": .string(dtype), "rounds": .integer(rounds),
            "disturbed_rounds": .integer(disturbed.count), "measured": .object(measured),
        ])
    }
}
