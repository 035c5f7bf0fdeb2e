public import Torch
import TorchNN
public import VisionModels

/// How far a network's numbers on a device are from those on the CPU: logits and gradients, from the same weights and images.
public struct DeviceParity: Sendable, Codable, Equatable {
    /// The model's name.
    public let model: String

    /// The largest difference of a logit, as a fraction of the largest logit.
    public let logits: Double

    /// The largest difference of an element of a gradient, as a fraction of the largest element of that gradient.
    public let gradients: Double

    /// The parameter whose gradient differs most.
    public let parameter: String

    /// Compares a network in training mode on both devices, in `float32` with libtorch's kernels.
    ///
    /// Stochastic depth and dropout are left out, whose random numbers differ from device to device.
    ///
    /// - Parameters:
    ///   - model: The model's name, for the report.
    ///   - configuration: What the model is made from.
    ///   - device: The device that is compared with the CPU.
    ///   - batch: The images, at least 2.
    /// - Returns: The differences.
    /// - Throws: `ConfigurationError` and `TorchError` when the model cannot be made or run.
    @ModelActor
    public static func measure(
        _ model: String,
        _ configuration: ModelConfiguration,
        on device: Device,
        batch: Int = 2
    ) throws -> DeviceParity {
        let policy = ComputePolicy.current
        defer { ComputePolicy.current = policy }
        try manualSeed(0)
        var configuration = configuration
        configuration.transformer?.dropPathRate = 0
        configuration.transformer?.dropRate = 0
        let network = try configuration.makeModel()
        let (images, labels) = try Throughput.examples(for: network, count: batch)
        let expected = try numbers(network, images, labels, on: .cpu)
        let found = try numbers(network, images, labels, on: device)
        var worst = (name: "", difference: 0.0)
        for (name, values) in expected.gradients {
            let difference = difference(found.gradients[name] ?? [], values)
            // A difference that is no number is the worst there is.
            if !(difference <= worst.difference) { worst = (name, difference) }
        }
        return DeviceParity(
            model: model,
            logits: difference(found.logits, expected.logits),
            gradients: worst.difference,
            parameter: worst.name
        )
    }

    private typealias Numbers = (logits: [Float], gradients: [String: [Float]])

    @ModelActor
    private static func numbers(
        _ network: any ImageClassifier,
        _ images: Tensor,
        _ labels: Tensor,
        on device: Device
    ) throws -> Numbers {
        ComputePolicy.current = ComputePolicy(device: device)
        try network.to(device)
        let logits = try network.logits(images.to(device)).averaged()
        try Loss.crossEntropy(logits, labels: labels.to(device)).backward()
        var gradients: [String: [Float]] = [:]
        for (name, parameter) in network.namedParameters() {
            gradients[name] = try parameter.tensor.gradient()?.floats()
            try parameter.tensor.clearGradient()
        }
        return (try logits.floats(), gradients)
    }

    private static func difference(_ found: [Float], _ expected: [Float]) -> Double {
        guard found.count == expected.count else { return .infinity }
        let largest = expected.reduce(Float.leastNormalMagnitude) { max($0, abs($1)) }
        var most: Float = 0
        for (a, b) in zip(found, expected) where !(abs(a - b) <= most) { most = abs(a - b) }
        return Double(most / largest)
    }
}
