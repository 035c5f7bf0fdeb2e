public import Torch

/// Keeps the gradients of `float16` in its range: the loss is multiplied by a scale, gradients are divided by it, and the
/// scale follows what the range allows.
///
/// A step whose gradients overflow is not taken, and halves the scale; after enough steps in a row without one it doubles.
/// All numbers stay on the device.
///
/// ## Source
/// Micikevicius et al., "Mixed Precision Training" (arXiv:1710.03740), section 3.2; equals `torch.amp.GradScaler`.
public final class GradientScaler {
    /// How the scale follows.
    public struct Options: Sendable, Equatable {
        /// The first scale.
        public var initial: Double
        /// What the scale is multiplied by after enough steps.
        public var growth: Double
        /// What it is multiplied by after a step that overflowed.
        public var backoff: Double
        /// How many steps in a row without an overflow are enough.
        public var interval: Int

        /// Creates options; the defaults are those of torch.
        public init(
            initial: Double = 65_536,
            growth: Double = 2,
            backoff: Double = 0.5,
            interval: Int = 2_000
        ) {
            self.initial = initial
            self.growth = growth
            self.backoff = backoff
            self.interval = interval
        }
    }

    private let options: Options
    private let scale: Tensor
    private let growthTracker: Tensor
    /// 1 where the gradients of the step at hand overflowed, else 0.
    private let foundInfinite: Tensor

    /// Creates a scaler.
    ///
    /// - Parameters:
    ///   - device: Where the gradients are.
    ///   - options: How the scale follows.
    /// - Throws: `TorchError` for a lack of memory.
    public init(on device: Device, _ options: Options = Options()) throws(TorchError) {
        self.options = options
        scale = try Tensor.full(options.initial, [], device: device)
        growthTracker = try Tensor.zeros([], dtype: .int32, device: device)
        foundInfinite = try Tensor.zeros([], device: device)
    }

    /// Returns the loss times the scale; what flows back from it are scaled gradients.
    public func scaled(_ loss: Tensor) throws(TorchError) -> Tensor { try loss * scale }

    /// Divides gradients by the scale, in place, and notes whether one is infinite or no number.
    ///
    /// - Parameter gradients: All gradients of the step.
    /// - Returns: One number on the device: 1 where one is not finite, and the step must not be taken; else 0.
    /// - Throws: `TorchError` when they are on another device.
    public func unscale(_ gradients: [Tensor]) throws(TorchError) -> Tensor {
        try foundInfinite.fill(0)
        let inverse = try scale.pow(-1)
        try Fused.unscale(gradients, by: inverse, foundInfinite: foundInfinite)
        return foundInfinite
    }

    /// Lets the scale follow, after the step was taken or left out.
    public func update() throws(TorchError) {
        try Fused.updateScale(
            scale,
            growthTracker: growthTracker,
            foundInfinite: foundInfinite,
            growth: options.growth,
            backoff: options.backoff,
            interval: options.interval
        )
    }

    /// The scale and the steps without an overflow, as `scale` and `growth_tracker`; loaders write into these tensors.
    public func namedState() -> [(name: String, tensor: Tensor)] {
        [("scale", scale), ("growth_tracker", growthTracker)]
    }
}
