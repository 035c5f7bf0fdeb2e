import Foundation
public import Torch

/// A running mean of a model's weights, often a better model than the last weights.
///
/// After every step `average ← decay · average + (1 - decay) · weights`, for parameters and floating-point buffers;
/// counters are copied.
///
/// ## Source
/// `timm/utils/model_ema.py`, `ModelEma` and `ModelEmaV2`, which DeiT's `main.py` uses; ``Warmup`` names those of its own.
public final class ExponentialMovingAverage {
    /// How the first steps keep less of the average, so that the start is forgotten; the decay is never exceeded.
    public enum Warmup: String, Sendable, Codable, CaseIterable {
        /// They do not: every step keeps the same share, as in DeiT.
        case off

        /// `1 - (1 + n)^(-2/3)` after `n` updates: `ModelEmaV3.get_decay` in timm's `model_ema.py` with `use_warmup`.
        case timm

        /// `(1 + n) / (10 + n)` after `n` updates: TensorFlow's `tf.train.ExponentialMovingAverage` with `num_updates`.
        case tensorflow

        /// The share of the average that an update keeps.
        ///
        /// - Parameters:
        ///   - decay: The share after the warm-up, 0 to 1.
        ///   - count: The updates before this one.
        /// - Returns: The share, 0 to `decay`.
        public func decay(_ decay: Double, after count: Int) -> Double {
            switch self {
            case .off: decay
            case .timm: min(decay, 1 - pow(Double(1 + count), -2.0 / 3))
            case .tensorflow: min(decay, Double(1 + count) / Double(10 + count))
            }
        }
    }

    /// The share of the average that is kept, 0 to 1.
    public let decay: Double

    /// How the first steps keep less.
    public let warmup: Warmup

    /// How many times ``update()`` was called; set it when a run is resumed.
    public var updateCount: Int

    private let names: [String]
    private let weights: [Tensor]
    private let averages: [Tensor]

    /// Creates an average that equals the model's weights.
    ///
    /// - Parameters:
    ///   - model: The model whose weights are followed.
    ///   - decay: The share of the average that is kept.
    ///   - warmup: How the first steps keep less.
    /// - Throws: `TorchError` for a lack of memory.
    public init(of model: Module, decay: Double, warmup: Warmup = .off) throws(TorchError) {
        self.decay = decay
        self.warmup = warmup
        self.updateCount = 0
        let named = model.namedTensors()
        var averages: [Tensor] = []
        for (_, tensor) in named { averages.append(try tensor.detached().clone()) }
        self.names = named.map(\.name)
        self.weights = named.map(\.tensor)
        self.averages = averages
    }

    /// The averages under the model's keys; loaders write into these tensors.
    public func namedTensors() -> [(name: String, tensor: Tensor)] {
        names.indices.map { (names[$0], averages[$0]) }
    }

    /// Moves the averages towards the weights.
    public func update() throws(TorchError) {
        let kept = warmup.decay(decay, after: updateCount)
        updateCount += 1
        let floating = weights.indices.filter { weights[$0].dtype.isFloatingPoint }
        try Fused.lerp(
            floating.map { averages[$0] },
            towards: floating.map { weights[$0] },
            weight: 1 - kept
        )
        for index in weights.indices where !weights[index].dtype.isFloatingPoint {
            try averages[index].copy(from: weights[index])
        }
    }

    /// Runs a closure with the averages in the model, then puts the weights back.
    ///
    /// - Parameter body: What to run, such as an evaluation or a save.
    /// - Returns: What `body` returns.
    /// - Throws: `TorchError` when the weights cannot be exchanged, and what `body` throws.
    public func withAverages<R>(_ body: () throws -> R) throws -> R {
        try exchange()
        let result = Result { try body() }
        try exchange()
        return try result.get()
    }

    private func exchange() throws(TorchError) {
        for (weight, average) in pairs {
            let kept = try weight.detached().clone()
            try weight.copy(from: average)
            try average.copy(from: kept)
        }
    }

    private var pairs: [(Tensor, Tensor)] { weights.indices.map { (weights[$0], averages[$0]) } }
}
