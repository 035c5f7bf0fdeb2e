import ArgumentParser
import Checkpoints
import Evaluation
import Foundation
import ImagePipeline
import Storage
import Training
import VisionModels

/// `deit models`: what can be made by name.
struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "List the available models.",
        discussion: """
            Examples:
              deit models
              deit models distilled --json

            Parameters (in millions) and operations per image (GMACs; timm's figures include \
            normalisation and are up to 0.5 % larger, for EfficientNet-Lite 4 %) are those of \
            the preset; in training, classes, channels and image size follow the data. Top-1 is \
            the published ImageNet accuracy of the weights.
            """
    )

    @Argument(help: "List only models whose name contains this, such as deit3 or 384.")
    var filter: String?

    @Flag(help: "Print a JSON list.")
    var json = false

    func run() throws {
        let presets = try presets()
        if json {
            try Results.print(JSONValue.array(presets.map(Self.json)).text())
            return
        }
        let heading = ["model", "params M", "GMACs", "images", "classes", "top-1 %", "weights"]
        try Results.print(Self.table([heading] + presets.map(Self.row)))
    }

    private func presets() throws -> [ModelRegistry.Preset] {
        guard let filter else { return ModelRegistry.presets }
        let found = ModelRegistry.presets.filter { $0.name.contains(filter.lowercased()) }
        guard found.isEmpty else { return found }
        let hint = Suggestion.phrase(for: filter, among: ModelRegistry.presets.map(\.name))
        throw CommandFailure(
            "no model's name holds \"\(filter)\"\(hint.isEmpty ? "; `deit models` lists all" : hint)",
            exitCode: CommandFailure.wrongCall
        )
    }

    private static func json(_ preset: ModelRegistry.Preset) -> JSONValue {
        let configuration = preset.configuration
        let (height, width) = configuration.imageSize
        let published = PublishedWeights(of: preset.name)
        return [
            "name": .string(preset.name),
            "parameters": .integer(configuration.parameterCount),
            "macs": .integer(configuration.macs),
            "input": [.integer(configuration.inChannels), .integer(height), .integer(width)],
            "classes": .integer(configuration.numClasses),
            "distilled": .bool(configuration.isDistilled),
            "images": images(preset),
            "top1": published?.top1.map(JSONValue.number) ?? .null,
            "weights": published.map { .string($0.source) } ?? .null,
        ]
    }

    /// How images are made for the known weights: the shorter side resized, the middle cropped to the input.
    private static func images(_ preset: ModelRegistry.Preset) -> JSONValue {
        guard let known = try? preset.processor(), case .shortestSide(let side) = known.resize
        else {
            return .null
        }
        return [
            "resize": .integer(side),
            "interpolation": .string(known.interpolation.rawValue),
            "mean": .array(known.mean.map { JSONValue($0) }),
            "std": .array(known.std.map { JSONValue($0) }),
        ]
    }

    private static func row(_ preset: ModelRegistry.Preset) -> [String] {
        let configuration = preset.configuration
        let (height, width) = configuration.imageSize
        let published = PublishedWeights(of: preset.name)
        return [
            preset.name,
            String(format: "%.2f", Double(configuration.parameterCount) / 1e6),
            String(format: "%.3f", Double(configuration.macs) / 1e9),
            "\(configuration.inChannels)×\(height)×\(width)",
            configuration.numClasses == 0 ? "none" : "\(configuration.numClasses)",
            published?.top1.map { String(format: "%.2f", $0) } ?? "",
            published?.source ?? "",
        ]
    }

    /// Aligned columns: the first and the last are words, the others numbers.
    private static func table(_ rows: [[String]]) -> String {
        let columns = rows.first?.count ?? 0
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = row.indices.map { column -> String in
                let space = String(repeating: " ", count: widths[column] - row[column].count)
                if column == columns - 1 { return row[column] }
                return column == 0 ? row[column] + space : space + row[column]
            }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
        .joined(separator: "\n")
    }
}
