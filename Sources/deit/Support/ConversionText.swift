import Checkpoints
import Evaluation
import Foundation
import Storage
import Training
import VisionModels

/// What a conversion did, for people and for programs.
enum ConversionText {
    static func text(
        _ report: Conversion.Report,
        _ int8: Int8Quantization.Report?,
        _ output: String
    ) -> String {
        let types =
            report.int8Layers == 0
            ? report.dtype : "\(report.int8Layers) linear layers in int8, else \(report.dtype)"
        var rows = [("wrote", "\(output), \(form(report)), \(types)")]
        let extras = report.extraCount == 0 ? "" : " and \(report.extraCount) outside the network"
        rows.append(("taken over", "\(report.tensorCount) tensors\(extras)"))
        if !report.left.isEmpty {
            let more = report.left.count > 8 ? " and \(report.left.count - 8) more" : ""
            rows.append(("not taken", report.left.prefix(8).joined(separator: ", ") + more))
        }
        rows += report.source.relaxations.filter { !$0.hasPrefix("without the classifier") }
            .map { ("changed", $0) }
        rows += report.source.notes.map { ("note", $0) }
        rows += report.source.assumptions.map { ("assumed", $0) }
        if let int8 { rows += accuracy(int8) }
        return table(rows)
    }

    /// What was written of a run in the form of DINO's own code.
    static func text(_ report: DINOExport.Report, _ output: String) -> String {
        table(
            [
                ("wrote", "\(output), a full checkpoint as of DINO's own code"),
                ("taken over", "\(report.tensorCount) tensors after \(report.epoch) epochs"),
            ] + report.notes.map { ("note", $0) }
        )
    }

    /// The same for programs.
    static func json(_ report: DINOExport.Report, _ output: String) -> JSONValue {
        [
            "output": .string(output), "epoch": .integer(report.epoch),
            "tensors": .integer(report.tensorCount),
            "notes": .array(report.notes.map(JSONValue.string)),
        ]
    }

    private static func table(_ rows: [(String, String)]) -> String {
        let checked = ("checked", "read back: all values are equal")
        return (rows + [checked]).map { name, value in
            name + String(repeating: " ", count: max(1, 12 - name.count)) + value
        }.joined(separator: "\n")
    }

    /// What 8 bits cost, on the images that were given.
    private static func accuracy(_ report: Int8Quantization.Report) -> [(String, String)] {
        func percent(_ share: Double) -> String { String(format: "%.2f %%", share * 100) }
        var rows: [(String, String)] = []
        let isComputed = "this processor computes the model in floating point"
        if let agreement = report.agreement {
            rows.append(
                (
                    "int8",
                    "same class as before for \(percent(agreement)) of \(report.count) images"
                        + (report.isComputedInt8 ? "" : "; \(isComputed)")
                )
            )
        } else if report.count == 0 {
            rows.append(("int8", "accuracy not measured; --measure DIR measures it on images"))
        }
        if let before = report.top1Before, let after = report.top1After {
            rows.append(("top-1", "\(percent(before)) before, \(percent(after)) in int8"))
        }
        return rows
    }

    static func json(
        _ report: Conversion.Report,
        _ int8: Int8Quantization.Report?,
        _ output: String
    ) -> JSONValue {
        let (height, width) = report.description.configuration.imageSize
        return [
            "output": .string(output),
            "architecture": report.architecture.map { .string($0.rawValue) } ?? .null,
            "dtype": .string(report.dtype),
            "int8_layers": .integer(report.int8Layers),
            "int8": int8?.json ?? .null,
            "image_size": [.integer(height), .integer(width)],
            "classes": .integer(report.description.configuration.numClasses),
            "tensors": .integer(report.tensorCount),
            "extra_tensors": .integer(report.extraCount),
            "not_taken": .array(report.left.map(JSONValue.string)),
            "changed": .array(report.source.relaxations.map(JSONValue.string)),
            "notes": .array(report.source.notes.map(JSONValue.string)),
            "assumed": .array(report.source.assumptions.map(JSONValue.string)),
        ]
    }

    private static func form(_ report: Conversion.Report) -> String {
        if let architecture = report.architecture { return architecture.rawValue }
        return "\(report.description.configuration.network.kind), \(report.names) names"
    }
}
