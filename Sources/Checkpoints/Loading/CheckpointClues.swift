import Foundation
import VisionModels

/// What stands beside bare weights and helps to understand them: arguments of the training, the file's name.
///
/// Only names in timm's grammar count, and only where they agree with the shapes of the tensors.
struct CheckpointClues {
    /// The architecture, and where it was read.
    let architecture: (value: TimmArchitecture, source: String)?

    /// A convolutional preset, by name alone.
    let convNet: ConvNetClue?

    /// The sides of images that the training was given; nil where it does not say.
    let inputSize: Int?

    /// Gathers what there is.
    ///
    /// - Parameters:
    ///   - weights: The weights.
    ///   - arguments: The arguments of the training.
    ///   - preset: What the user says, which comes before all others.
    init(_ weights: WeightsFile, arguments: [String: String], preset: String? = nil) {
        var found: (TimmArchitecture, String)?
        let said = preset.map { [(name: $0, source: "the preset")] } ?? []
        let candidates = said + Self.candidates(weights.path, arguments)
        for (name, source) in candidates {
            guard let architecture = TimmArchitecture(name),
                Self.agrees(architecture.configuration, weights)
            else { continue }
            found = (architecture, source)
            break
        }
        convNet = ConvNetClue.find(in: candidates.map(\.name))
        architecture = found.map { (value: $0.0, source: $0.1) }
        inputSize = arguments["input_size"].flatMap { Int($0) }
    }

    private static func candidates(
        _ path: String,
        _ arguments: [String: String]
    ) -> [(name: String, source: String)] {
        var names: [(String, String)] = []
        if let model = arguments["model"] { names.append((model, "its arguments")) }
        if let arch = arguments["arch"], let patch = arguments["patch_size"] {
            // DINO calls its networks vit_small or, in older files, deit_small; both see images as DeiT does.
            let size = arch.split(separator: "_").last.map(String.init) ?? ""
            names.append(("vit_\(size)_patch\(patch)_224.dino", "its arguments"))
        }
        let file = URL(fileURLWithPath: path)
        names.append((stem(file.lastPathComponent), "the file's name"))
        names.append((file.deletingLastPathComponent().lastPathComponent, "the folder's name"))
        return names
    }

    private static func stem(_ name: String) -> String {
        for ending in [".safetensors", ".pth", ".pt", ".bin"] where name.hasSuffix(ending) {
            return String(name.dropLast(ending.count))
        }
        return name
    }

    private static func agrees(_ named: ViTConfiguration, _ weights: WeightsFile) -> Bool {
        guard let patch = weights.shape("patch_embed.proj.weight"), patch.count == 4 else {
            return false
        }
        return patch[0] == named.embedDim && patch[2] == named.patchSize
            && weights.count(after: "blocks.") == named.depth
            && weights.has("dist_token") == named.isDistilled
            && weights.has("blocks.0.ls1.gamma") == (named.initValues != nil)
    }
}
