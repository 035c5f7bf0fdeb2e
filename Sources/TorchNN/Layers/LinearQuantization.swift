import Foundation
import Torch

/// How a linear layer computes in 8 bits: `x ≈ (q - inputZeroPoint) · inputScale` for `q` in 0...255, and each row of
/// the weight is `weightScale` times whole numbers from -127 to 127.
public struct LinearQuantization: Sendable, Equatable {
    /// One step of the weight for each output, above 0.
    public var weightScale: [Float]

    /// One step of the input, above 0.
    public var inputScale: Float

    /// The 8-bit value of an input of 0, 0...255.
    public var inputZeroPoint: Int

    /// Creates a description.
    public init(weightScale: [Float], inputScale: Float, inputZeroPoint: Int) {
        self.weightScale = weightScale
        self.inputScale = inputScale
        self.inputZeroPoint = inputZeroPoint
    }
}

/// The range of what came into a layer, seen batch by batch on any thread.
///
/// Of every batch the 0.01 % largest and smallest numbers are left out: they would spread the 256 steps over a range
/// that hardly anything uses. The range is the widest of the batches.
final class InputRange: @unchecked Sendable {
    private let lock = NSLock()
    private var bounds: (lower: Float, upper: Float)?

    func add(_ x: Tensor) throws(TorchError) {
        guard x.elementCount > 0 else { return }
        let numbers = try x.detached().to(.float32).reshaped([x.elementCount])
        let place = x.elementCount / 10_000
        let upper = Float(try numbers.topK(place + 1).values.selected(0, place).item())
        let lower = -Float(try (-numbers).topK(place + 1).values.selected(0, place).item())
        lock.withLock {
            let old = bounds ?? (lower, upper)
            bounds = (min(old.lower, lower), max(old.upper, upper))
        }
    }

    /// The step and the number for 0, of a range that contains 0; nil where nothing was seen or it was not finite.
    var quantization: (scale: Float, zeroPoint: Int)? {
        let seen = lock.withLock { bounds }
        guard let seen, seen.lower.isFinite, seen.upper.isFinite else { return nil }
        let (lower, upper) = (min(seen.lower, 0), max(seen.upper, 0))
        let scale = max((upper - lower) / 255, .leastNormalMagnitude)
        return (scale, min(max(Int((-lower / scale).rounded()), 0), 255))
    }
}

/// Finding of the steps for 8 bits from images that a model is shown.
public enum Int8Calibration {
    /// Shows a model some inputs, then lets its linear layers compute in 8 bits.
    ///
    /// Weights are rounded to whole multiples of a step for each output, so the model's `float32` numbers are those of
    /// its 8-bit form from here on.
    ///
    /// - Parameters:
    ///   - model: The model, in evaluation.
    ///   - excluding: Whether a layer of a name stays as it is, such as a classifier.
    ///   - forward: What runs the model on the inputs.
    /// - Returns: The number of layers that compute in 8 bits.
    /// - Throws: What `forward` throws, and `TorchError`; the model then computes as before.
    public static func run(
        _ model: Module,
        excluding: (String) -> Bool,
        _ forward: () throws -> Void
    ) throws -> Int {
        let layers = model.namedModules().filter { !excluding($0.name) }
            .compactMap { $0.module as? Linear }
        for layer in layers { layer.observer = InputRange() }
        defer { for layer in layers { layer.observer = nil } }
        try forward()
        let found = try layers.map { layer in
            try layer.observer?.quantization.map { input in
                LinearQuantization(
                    weightScale: try weightScale(layer.weight.tensor),
                    inputScale: input.scale,
                    inputZeroPoint: input.zeroPoint
                )
            }
        }
        var count = 0
        for (layer, quantization) in zip(layers, found) {
            guard let quantization else { continue }
            let scale = try Tensor(
                quantization.weightScale,
                shape: [quantization.weightScale.count, 1]
            )
            let weight = layer.weight.tensor
            try withoutGradient { () throws(TorchError) in
                try weight.copy(from: (weight / scale + 0.5).floor() * scale)
            }
            layer.quantization = quantization
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
