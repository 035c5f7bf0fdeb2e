import Torch
import TorchNN
import VisionModels

/// A transformer of two blocks for comparisons of kernels, on images of 20 × 28 pixels.
///
/// Initial weights are so small that every block is nearly the identity, so noise is added to them.
enum SmallTransformer {
    /// Makes the network in training mode, with the same weights every time.
    ///
    /// - Parameter change: What is different.
    /// - Returns: The network.
    /// - Throws: `TorchError` and `ConfigurationError` for a configuration that does not fit.
    static func make(
        _ change: (inout ViTConfiguration) -> Void = { _ in }
    ) throws -> VisionTransformer {
        try manualSeed(5)
        var configuration = ViTConfiguration(
            imageHeight: 20,
            imageWidth: 28,
            patchSize: 4,
            numClasses: 7,
            embedDim: 96,
            depth: 2,
            numHeads: 3,
            layerNormEps: 1e-6
        )
        change(&configuration)
        let model = try VisionTransformer.make(configuration)
        try withoutGradient {
            for (_, parameter) in model.namedParameters() {
                let tensor = parameter.tensor
                try tensor.copy(from: tensor + Tensor.randn(tensor.shape) * 0.1)
            }
        }
        return model
    }
}
