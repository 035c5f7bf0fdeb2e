import Torch
import TorchNN
import VisionModels

/// Leaves the weights as they are that the options say.
enum FrozenWeights {
    private static let heads = ["head.", "head_dist.", "fc."]
    private static let embeddings: Set<String> = ["cls_token", "dist_token", "pos_embed"]

    /// Takes the gradients of weights that are not to be trained.
    ///
    /// - Throws: ``OptionError`` where the network has fewer blocks than are to be frozen.
    static func apply(_ options: TrainingOptions, to module: Module) throws {
        let names = module.namedParameters().map(\.name)
        if case .blocks(let count) = options.freeze {
            let last = names.compactMap(block).max() ?? -1
            guard count <= last + 1 else {
                throw OptionError.conflict(
                    "freeze is \(count), but the network has \(last + 1) blocks: choose a smaller --freeze, or all"
                )
            }
        }
        for (name, parameter) in module.namedParameters() where !isTrained(name, options) {
            try parameter.tensor.setRequiresGradient(false)
        }
    }

    static func isTrained(_ name: String, _ options: TrainingOptions) -> Bool {
        if heads.contains(where: name.hasPrefix) { return true }
        if options.attnOnly { return name.contains(".attn.") || name == "pos_embed" }
        switch options.freeze {
        case .none: return true
        case .backbone: return false
        case .blocks(let count):
            if let block = block(of: name) { return block >= count }
            let isStem = ["patch_embed.", "conv1.", "bn1."].contains(where: name.hasPrefix)
            return !isStem && !embeddings.contains(name)
        }
    }

    /// The number of the block that a weight belongs to, from 0; a residual network's stages count.
    private static func block(of name: String) -> Int? {
        let parts = name.split(separator: ".")
        guard parts.count > 1 else { return nil }
        if parts[0] == "blocks" { return Int(parts[1]) }
        guard parts[0].hasPrefix("layer") else { return nil }
        return Int(parts[0].dropFirst("layer".count)).map { $0 - 1 }
    }
}
