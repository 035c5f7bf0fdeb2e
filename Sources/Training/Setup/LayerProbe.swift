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
            case let network as ResNet: try firstNonFinite(network, pixels)
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
        for (index, block) in model.blocks.enumerated() {
            x = try block(x)
            guard try isFinite(x) else { return "blocks.\(index)" }
        }
        x = try model.norm(x)
        guard try isFinite(x) else { return "norm" }
        return try isFinite(model.forwardHead(x)) ? nil : "head"
    }

    private static func firstNonFinite(
        _ model: ResNet,
        _ pixels: Tensor
    ) throws(TorchError) -> String? {
        var x = try Functional.relu(model.bn1(model.conv1(pixels)))
        guard try isFinite(x) else { return "conv1" }
        if model.configuration.stem == .imagenet {
            x = try Functional.maxPool2d(x, kernel: 3, stride: 2, padding: 1)
        }
        for (stage, blocks) in [model.layer1, model.layer2, model.layer3, model.layer4].enumerated()
        {
            for (index, block) in blocks.enumerated() {
                x = try block(x)
                guard try isFinite(x) else { return "layer\(stage + 1).\(index)" }
            }
        }
        return try isFinite(model.fc(x.mean([2, 3]))) ? nil : "fc"
    }

    private static func isFinite(_ x: Tensor) throws(TorchError) -> Bool {
        try x.isFinite().to(.float32).min().item() == 1
    }
}
