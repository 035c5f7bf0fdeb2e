import ArgumentParser
import Checkpoints
import Foundation
import ImagePipeline
import Storage
import VisionModels

/// `deit models`: what can be made by name, and the weights that are published.
struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "List the available models and their published weights.",
        discussion: """
            Examples:
              deit models                          # the families
              deit models --family dinov2
              deit models 'vit_*_224.*in1k'
              deit models distilled --json

            Without a filter the families are listed; --json always lists all models. A name \
            with a dot is that of published weights, which `deit pull`, `classify`, `finetune` \
            and all other commands accept as a checkpoint; without one it is a model for \
            --model of `deit train`.

            Parameters (in millions) and operations per image (GMACs; timm's figures include \
            normalisation and are up to 0.5 % larger, for EfficientNet-Lite 4 %) are those of \
            the preset; in training, classes, channels and image size follow the data. Top-1 is \
            the published ImageNet accuracy of the weights. Weights are a Hub model ID or a URL; \
            "timm" is timm/NAME on the Hub.
            """
    )

    @Argument(
        help: "List only names that contain this, or match a pattern such as 'vit_*dinov2*'."
    )
    var filter: String?

    @Option(help: "List only this family; `deit models` lists the families.")
    var family: String?

    @Flag(help: "Print a JSON list.")
    var json = false

    func validate() throws {
        guard let family, !ModelRegistry.families.contains(family.lowercased()) else { return }
        let hint = Suggestion.phrase(for: family, among: ModelRegistry.families)
        throw ValidationError(
            "there is no family \"\(family)\""
                + (hint.isEmpty
                    ? "; choose one of: \(ModelRegistry.families.joined(separator: ", "))" : hint)
        )
    }

    func run() throws {
        let entries = try entries()
        if json {
            try Results.print(JSONValue.array(entries.map(\.json)).text())
        } else if filter == nil, family == nil {
            try Results.print(Self.families(entries))
        } else {
            try Results.print(
                Self.table([ModelEntry.heading] + entries.map(\.row), words: [0, 6, 7])
            )
        }
    }

    private func entries() throws -> [ModelEntry] {
        let inFamily = ModelEntry.all.filter {
            family == nil || $0.preset.family == family?.lowercased()
        }
        guard let filter else { return inFamily }
        let found = inFamily.filter { $0.matches(filter) }
        guard found.isEmpty else { return found }
        let place = family.map { " of the family \($0.lowercased())" } ?? ""
        let hint = Suggestion.phrase(for: filter, among: ModelRegistry.names)
        throw CommandFailure(
            "no name\(place) \(ShellPattern.isPattern(filter) ? "matches" : "contains") \"\(filter)\""
                + (hint.isEmpty ? "; `deit models` lists the families" : hint),
            exitCode: CommandFailure.wrongCall
        )
    }

    /// A line for each family.
    private static func families(_ entries: [ModelEntry]) -> String {
        let heading = ["family", "models", "weights", "params M", "top-1 %", "such as"]
        let rows = ModelRegistry.families.map { family -> [String] in
            let members = entries.filter { $0.preset.family == family }
            let architectures = Set(members.map(\.architecture))
            let sizes = members.map { Double($0.preset.configuration.parameterCount) / 1e6 }
            let top1 = members.compactMap { $0.published?.top1 }.max()
            let example = members.first { $0.published != nil } ?? members.first
            return [
                family, "\(architectures.count)", "\(members.count { $0.published != nil })",
                [sizes.min(), sizes.max()].compactMap { $0.map { String(format: "%.1f", $0) } }
                    .joined(separator: " – "),
                top1.map { String(format: "%.1f", $0) } ?? "", example?.preset.name ?? "",
            ]
        }
        return table([heading] + rows, words: [0, 5])
            + "\n\n`deit models --family NAME` lists a family, `deit models 'PATTERN'` what matches."
    }

    /// Aligned columns: words to the left, numbers to the right.
    private static func table(_ rows: [[String]], words: Set<Int>) -> String {
        let columns = rows.first?.count ?? 0
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = row.indices.map { column -> String in
                let space = String(repeating: " ", count: widths[column] - row[column].count)
                return words.contains(column) ? row[column] + space : space + row[column]
            }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
        .joined(separator: "\n")
    }
}

/// A line of the list: weights, or a model without any.
struct ModelEntry {
    /// The name without a tag.
    let architecture: String

    /// What the name represents.
    let preset: ModelRegistry.Preset

    let published: PublishedWeights?

    /// Every model, and for those of timm each of its weights in the model's place.
    static let all: [ModelEntry] = ModelRegistry.presets.flatMap { preset -> [ModelEntry] in
        let weights = ModelRegistry.weights(of: preset.name)
        let usual = PublishedWeights(of: preset.name)
        let own = ModelEntry(architecture: preset.name, preset: preset, published: usual)
        let tagged = weights.compactMap { name -> ModelEntry? in
            ModelRegistry.preset(named: name).map {
                ModelEntry(
                    architecture: preset.name,
                    preset: $0,
                    published: PublishedWeights(of: name)
                )
            }
        }
        // DeiT's own weights have no tag, and are others than timm's.
        let isListed = tagged.contains { $0.published == usual }
        return isListed ? tagged : [own] + tagged
    }

    /// Whether the name, with its tag or without, matches a pattern or contains a text; capitals do not matter.
    func matches(_ filter: String) -> Bool {
        let filter = filter.lowercased()
        return [preset.name, architecture].contains { name in
            let name = name.lowercased()
            return ShellPattern.isPattern(filter)
                ? ShellPattern.matches(name, filter) : name.contains(filter)
        }
    }

    static let heading = [
        "model", "params M", "GMACs", "images", "classes", "top-1 %", "license", "weights",
    ]

    var row: [String] {
        let configuration = preset.configuration
        let (height, width) = configuration.imageSize
        let source = published?.source ?? ""
        return [
            preset.name,
            String(format: "%.2f", Double(configuration.parameterCount) / 1e6),
            String(format: "%.3f", Double(configuration.macs) / 1e9),
            "\(configuration.inChannels)×\(height)×\(width)",
            configuration.numClasses == 0 ? "none" : "\(configuration.numClasses)",
            published?.top1.map { String(format: "%.2f", $0) } ?? "",
            published?.license ?? "",
            source == "timm/\(preset.name)" ? "timm" : source,
        ]
    }

    var json: JSONValue {
        let configuration = preset.configuration
        let (height, width) = configuration.imageSize
        return [
            "name": .string(preset.name),
            "family": .string(preset.family),
            "parameters": .integer(configuration.parameterCount),
            "macs": .integer(configuration.macs),
            "input": [.integer(configuration.inChannels), .integer(height), .integer(width)],
            "classes": .integer(configuration.numClasses),
            "distilled": .bool(configuration.isDistilled),
            "images": images,
            "top1": published?.top1.map(JSONValue.number) ?? .null,
            "license": published?.license.map(JSONValue.string) ?? .null,
            "weights": published.map { .string($0.source) } ?? .null,
        ]
    }

    /// How images are made for the known weights, the middle cropped to the input.
    private var images: JSONValue {
        guard let known = try? preset.processor() else { return .null }
        let (side, mode): (Int, CropMode)
        switch known.resize {
        case .shortestSide(let shorter): (side, mode) = (shorter, .center)
        case .exact(let height, let width) where height == width: (side, mode) = (height, .squash)
        default: return .null
        }
        return [
            "resize": .integer(side),
            "crop_mode": .string(mode.rawValue),
            "interpolation": .string(known.interpolation.rawValue),
            "mean": .array(known.mean.map { JSONValue($0) }),
            "std": .array(known.std.map { JSONValue($0) }),
        ]
    }
}
