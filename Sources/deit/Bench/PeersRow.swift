import Checkpoints
import Foundation
import Storage

/// The rates of this library and of its peers for one model, batch and type.
struct PeersRow {
    var kind: String
    var model: String
    var batch: Int
    var dtype: String

    private var names: [String] = []
    private var rates: [String: [Double]] = [:]
    private var memory: [String: Double] = [:]
    private var errors: [String: String] = [:]

    init(kind: String, model: String, batch: Int, dtype: String) {
        self.kind = kind
        self.model = model
        self.batch = batch
        self.dtype = dtype
    }

    /// Adds what one round measured.
    mutating func add(_ name: String, _ answer: PeerProcess.Answer) {
        if !names.contains(name) { names.append(name) }
        if let rate = answer.imagesPerSecond { rates[name, default: []].append(rate) }
        if let peak = answer.peakMemoryMiB { memory[name] = max(memory[name] ?? 0, peak) }
        if let error = answer.error { errors[name] = error }
    }

    /// The median of the rounds' medians.
    private func rate(_ name: String) -> Double? {
        guard let sorted = rates[name]?.sorted(), !sorted.isEmpty else { return nil }
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
            if let ratio = ratio(name) { line += String(format: "  deit is %.2f times it", ratio) }
            lines.append(line)
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
            if let peak = memory[name] { entry["peak_memory_mib"] = .number(peak) }
            if let ratio = ratio(name) { entry["ratio"] = .number(ratio) }
            if let error = errors[name] { entry["error"] = .string(error) }
            measured[name] = .object(entry)
        }
        return .object([
            "kind": .string(kind), "model": .string(model), "batch": .integer(batch),
            "dtype": .string(dtype), "measured": .object(measured),
        ])
    }
}
