import Checkpoints
import VisionModels

/// What a conversion did, for people and for programs.
enum ConversionText {
    static func text(_ report: Conversion.Report, _ output: String) -> String {
        var rows = [("wrote", "\(output), \(form(report)), \(report.dtype)")]
        let extras = report.extraCount == 0 ? "" : " and \(report.extraCount) beside the network"
        rows.append(("taken over", "\(report.tensorCount) tensors\(extras)"))
        if !report.left.isEmpty {
            rows.append(("not taken", report.left.joined(separator: ", ")))
        }
        rows += report.source.relaxations.filter { !$0.hasPrefix("without the classifier") }
            .map { ("changed", $0) }
        rows += report.source.notes.map { ("note", $0) }
        rows += report.source.assumptions.map { ("assumed", $0) }
        rows.append(("checked", "read again: every number is as it was written"))
        return rows.map { name, value in
            name + String(repeating: " ", count: max(1, 12 - name.count)) + value
        }.joined(separator: "\n")
    }

    static func json(_ report: Conversion.Report, _ output: String) -> JSONValue {
        let (height, width) = report.description.configuration.imageSize
        return [
            "output": .string(output),
            "architecture": report.architecture.map { .string($0.rawValue) } ?? .null,
            "dtype": .string(report.dtype),
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
        switch report.description.configuration {
        case .visionTransformer(let vit):
            return "a transformer of \(vit.depth) blocks, timm's names"
        case .resNet: return "a residual network, timm's names"
        }
    }
}
