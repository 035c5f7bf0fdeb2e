import Foundation
import Torch
import TorchNN
import VisionModels

/// How much of the speed of this machine's matrix products a model's forward pass and training step reach.
///
/// The limit is that of ``ProductLimit`` in the policy's type. The fused encoder's own products may be somewhat faster.
public struct MachineSpeed: Sendable, Equatable {
    /// The type of matrix products.
    public let dtype: String

    /// The limit, in thousand millions of additions and multiplications a second.
    public let limit: Double

    /// The model.
    public let model: String

    /// Images per second in a forward pass at batch 8.
    public let forward: Double

    /// Images per second in a training step at batch 8.
    public let training: Double

    /// The products' operations of an image in a forward pass, in thousand millions.
    private let operations: Double

    /// The share of the limit that a forward pass reaches, about 0 to 1.
    public var forwardShare: Double { forward * operations / limit }

    /// The share of the limit that a training step reaches, whose backward pass has twice the products of its forward pass.
    public var trainingShare: Double { training * 3 * operations / limit }

    /// Measures under the current compute policy, for some seconds.
    ///
    /// - Parameter model: The model's name.
    /// - Returns: The speeds; nil where the loaded libtorch has no products of oneDNN's.
    /// - Throws: `ConfigurationError` for an unknown model, `TorchError` for a lack of memory.
    @ModelActor
    public static func measure(model: String = "deit_tiny_patch16_224") throws -> MachineSpeed? {
        let dtype = ComputePolicy.current.dtype
        guard let products = try ProductLimit.measure(seconds: 0.3),
            let limit = dtype == .bfloat16 ? products.bfloat16 : products.float32
        else { return nil }
        let configuration = try ModelRegistry.configuration(named: model)
        func rate(_ measure: (String, ModelConfiguration) throws -> Throughput) throws -> Double {
            try measure(model, configuration).imagesPerSecond
        }
        return MachineSpeed(
            dtype: dtype.rawValue,
            limit: limit,
            model: model,
            forward: try rate { try Throughput.inference($0, $1, batch: 8, seconds: 0.5) },
            training: try rate { try Throughput.training($0, $1, batch: 8, seconds: 0.5) },
            operations: 2e-9 * Double(configuration.macs)
        )
    }
}
