import Torch
import TorchNN
import VisionModels

/// Runs a network layer by layer to find the first output that is not finite.
enum LayerProbe {
    /// The key of the first layer whose output is not finite, or nil.
    static func firstNonFinite(
        _ model: any ImageClassifier,
        _ pixels: Tensor
    ) throws(TorchError) -> String? {
        try withoutGradient { () throws(TorchError) -> String? in
            switch model {
            case let transformer as VisionTransformer: try firstNonFinite(transformer, pixels)
            case let network as any ConvNet: try firstNonFinite(network, pixels)
            default: nil
            }
        }
    }

    private static func firstNonFinite(
        _ model: VisionTransformer,
        _ pixels: Tensor
    ) throws(TorchError) -> String? {
        var x = try model.patchEmbed(pixels)
        guard try isFinite(x) else { return "patch_embed" }
        x = try model.embed(x)
        guard try isFinite(x) else { return "pos_embed" }
        let rotary = try model.rotaryPositions(of: model.configuration.grid)
        for (index, block) in model.blocks.enumerated() {
            x = try block(x, rotary: rotary)
            guard try isFinite(x) else { return "blocks.\(index)" }
        }
        x = try model.normalized(x)
        guard try isFinite(x) else { return "norm" }
        return try isFinite(model(pixels)) ? nil : "head"
    }

    private static func firstNonFinite(
        _ model: any ConvNet,
        _ pixels: Tensor
    ) throws(TorchError) -> String? {
        var first: String?
        let maps = try model.forwardFeatures(pixels) { (key, maps) throws(TorchError) in
            if first == nil, try !isFinite(maps) { first = key }
        }
        if let first { return first }
        return try isFinite(model.forwardHead(maps)) ? nil : "the classifier"
    }

    private static func isFinite(_ x: Tensor) throws(TorchError) -> Bool {
        try x.isFinite().to(.float32).min().item() == 1
    }
}
