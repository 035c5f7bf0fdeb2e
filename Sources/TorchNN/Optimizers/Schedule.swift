import Foundation

/// A learning rate as a function of progress: linear warm-up, then a curve down.
///
/// `t`, the warm-up and the length are in one unit, steps or epochs. As in timm (`warmup_prefix=False`) the curve is
/// computed on `t` itself, so that it continues where it would be without warm-up.
///
/// ## Source
/// `timm/scheduler/cosine_lr.py` and `step_lr.py`, `_get_lr`; Hugging Face's `get_linear_schedule_with_warmup` for
/// `linear`. The one-epoch lag of DeiT's training loop (the value of epoch e - 1 in epoch e) is not reproduced.
public struct Schedule: Sendable, Equatable {
    /// The curve after warm-up.
    public enum Shape: String, Sendable, Codable, CaseIterable {
        /// Half a period of a cosine, from the base value to the smallest.
        case cosine

        /// A straight line from the base value at the end of warm-up to the smallest.
        case linear

        /// The base value.
        case constant

        /// The base value times a rate for each interval that has passed; it does not know the smallest value.
        case step
    }

    /// The curve after warm-up.
    public var shape: Shape

    /// The largest value.
    public var base: Double

    /// The value at the end.
    public var minimum: Double

    /// The value at `t` = 0, where there is a warm-up.
    public var warmupStart: Double

    /// How long the warm-up lasts.
    public var warmup: Double

    /// How long the whole schedule lasts.
    public var total: Double

    /// After how long a ``Shape/step`` comes, above 0.
    public var decayInterval: Double

    /// What a ``Shape/step`` multiplies the value by.
    public var decayRate: Double

    /// Creates a schedule.
    public init(
        shape: Shape,
        base: Double,
        minimum: Double = 0,
        warmupStart: Double = 0,
        warmup: Double = 0,
        total: Double,
        decayInterval: Double = 30,
        decayRate: Double = 0.1
    ) {
        self.shape = shape
        self.base = base
        self.minimum = minimum
        self.warmupStart = warmupStart
        self.warmup = warmup
        self.total = total
        self.decayInterval = decayInterval
        self.decayRate = decayRate
    }

    /// The value at `t`; from the end on it stays at the minimum, where the shape has one.
    public func value(at t: Double) -> Double {
        if t < warmup { return warmupStart + t * (base - warmupStart) / warmup }
        switch shape {
        case .cosine where t >= total, .linear where t >= total: return minimum
        case .cosine: return minimum + 0.5 * (base - minimum) * (1 + cos(Double.pi * t / total))
        case .linear: return minimum + (base - minimum) * (total - t) / (total - warmup)
        case .constant: return base
        case .step: return base * pow(decayRate, (t / decayInterval).rounded(.down))
        }
    }
}
