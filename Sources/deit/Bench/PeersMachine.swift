import Checkpoints
import Evaluation
import Foundation
import Storage

/// What everything is measured on: the processor, its limit, and what else ran before.
struct PeersMachine {
    private let processor = Processor.current
    private let load = loadAverage()
    private let limit: ProductLimit?

    init(limit: ProductLimit?) { self.limit = limit }

    /// Two lines for a terminal.
    var text: String {
        var lines = [processor.name.isEmpty ? "processor" : processor.name]
        lines[0] += ", \(processor.cores) cores"
        if !processor.features.isEmpty {
            lines[0] += ": " + processor.features.joined(separator: " ")
        }
        if let load { lines[0] += String(format: "; load %.1f", load) }
        if let limit {
            let rates = [
                ("GFLOP/s in fp32", limit.float32), ("GFLOP/s in bf16", limit.bfloat16),
            ].compactMap { unit, rate in rate.map { String(format: "%.0f %@", $0, unit) } }
            lines.append(
                "fastest products of matrices, \(limit.threads) threads: "
                    + rates.joined(separator: ", ")
            )
        }
        return lines.joined(separator: "\n")
    }

    /// One object for programs.
    var json: JSONValue {
        var object: JSONObject = [
            "processor": .string(processor.name), "cores": .integer(processor.cores),
            "features": .array(processor.features.map(JSONValue.string)),
        ]
        if let load { object["load"] = .number(load) }
        if let limit {
            var rates: JSONObject = [
                "fp32_gflops": .number(limit.float32), "threads": .integer(limit.threads),
            ]
            if let bfloat16 = limit.bfloat16 { rates["bf16_gflops"] = .number(bfloat16) }
            object["limit"] = .object(rates)
        }
        return .object(object)
    }
}
