import Foundation
import VisionModels

extension CheckpointClues {
    /// Gathers what is known besides bare weights: arguments of the training, the names of the file and its folder.
    ///
    /// - Parameters:
    ///   - weights: The weights.
    ///   - preset: What the user says, which comes before all others.
    init(_ weights: WeightsFile, preset: String? = nil) {
        let arguments = weights.arguments
        let said = preset.map { [(name: $0, source: "the preset")] } ?? []
        self.init(
            names: said + Self.candidates(weights.path, arguments),
            inputSize: arguments["input_size"].flatMap { Int($0) }
        )
    }

    private static func candidates(
        _ path: String,
        _ arguments: [String: String]
    ) -> [(name: String, source: String)] {
        var names: [(String, String)] = []
        if let model = arguments["model"] { names.append((model, "its arguments")) }
        if let arch = arguments["arch"], let patch = arguments["patch_size"] {
            // DINO calls its networks vit_small or, in older files, deit_small; both see images as DeiT does, and not as
            // timm's `dino` weights, whose crop is another: no tag of timm's.
            let size = arch.split(separator: "_").last.map(String.init) ?? ""
            names.append(("vit_\(size)_patch\(patch)_224.dino_training", "its arguments"))
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
}
