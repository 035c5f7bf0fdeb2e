import Foundation

/// A value for each step: linear warm-up that reaches the base at its last step, then a cosine to the final value.
///
/// ## Source
/// dino `utils.py`, `cosine_scheduler`.
public struct StepCosine: Sendable, Equatable {
    /// The value at the end of the warm-up.
    public var base: Double
    /// The value that the cosine goes to; it would be reached one step after the last.
    public var final: Double
    /// The value of the first step, where there is a warm-up.
    public var start: Double
    /// The steps of the warm-up.
    public var warmupSteps: Int
    /// The steps of the whole run.
    public var totalSteps: Int

    /// Creates a schedule.
    ///
    /// - Parameters:
    ///   - base: The value at the end of the warm-up.
    ///   - final: The value that the cosine goes to, above the base or below it.
    ///   - start: The value of the first step, where there is a warm-up.
    ///   - warmupSteps: The steps of the warm-up.
    ///   - totalSteps: The steps of the whole run.
    public init(
        base: Double,
        final: Double,
        start: Double = 0,
        warmupSteps: Int = 0,
        totalSteps: Int
    ) {
        self.base = base
        self.final = final
        self.start = start
        self.warmupSteps = warmupSteps
        self.totalSteps = totalSteps
    }

    /// The value of a step, from 0; from the end on it stays at the final value.
    public func value(at step: Int) -> Double {
        if step < warmupSteps {
            return Self.linear(from: start, to: base, count: warmupSteps, at: step)
        }
        guard step < totalSteps else { return final }
        let share = Double(step - warmupSteps) / Double(totalSteps - warmupSteps)
        return final + 0.5 * (base - final) * (1 + cos(Double.pi * share))
    }

    /// Evenly spaced numbers that include both ends, as `numpy.linspace` has them.
    ///
    /// - Parameters:
    ///   - first: The first number.
    ///   - last: The last number.
    ///   - count: How many there are, at least 1; of one it is the first.
    ///   - index: Which is wanted, from 0.
    /// - Returns: The number.
    public static func linear(
        from first: Double,
        to last: Double,
        count: Int,
        at index: Int
    ) -> Double {
        guard count > 1 else { return first }
        return first + (last - first) * Double(index) / Double(count - 1)
    }
}
