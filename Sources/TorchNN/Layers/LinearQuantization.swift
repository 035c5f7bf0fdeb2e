public import Torch

/// What the weight of a linear layer in 8 bits is made of: each row is its step times whole numbers from -127 to 127.
///
/// Inputs are rounded where the layer computes in 8 bits, with steps of their own for every row (`PackedEncoder`).
public struct LinearQuantization: Sendable, Equatable {
    /// One step for each output, above 0.
    public var weightScale: [Float]

    /// Creates a description.
    public init(weightScale: [Float]) {
        self.weightScale = weightScale
    }

    /// Rounds the weights of a model's linear layers to 8 bits.
    ///
    /// The model's `float32` numbers are those of its 8-bit form from here on. Where it does not compute in 8 bits, as in
    /// training and on processors without products of 8-bit numbers, it computes with these numbers in floating point.
    ///
    /// - Parameters:
    ///   - model: The model.
    ///   - excluding: Whether a layer of a name stays as it is, such as a classifier.
    /// - Returns: The number of layers that were rounded.
    /// - Throws: `TorchError` for a lack of memory.
    public static func round(
        _ model: Module,
        excluding: (String) -> Bool
    ) throws(TorchError) -> Int {
        var count = 0
        for (name, module) in model.namedModules() where !excluding(name) {
            guard let layer = module as? Linear else { continue }
            let weight = layer.weight.tensor
            let steps = try weightScale(weight)
            let scale = try Tensor(steps, shape: [steps.count, 1])
            try withoutGradient { () throws(TorchError) in
                try weight.copy(from: (weight / scale + 0.5).floor() * scale)
            }
            layer.quantization = LinearQuantization(weightScale: steps)
            count += 1
        }
        return count
    }

    // The largest number of every row becomes 127.
    private static func weightScale(_ weight: Tensor) throws(TorchError) -> [Float] {
        try weight.detached().abs().topK(1, dim: 1).values.floats()
            .map { $0 > 0 ? max($0 / 127, .leastNormalMagnitude) : 1 }
    }
}
