import Foundation

/// A small generator whose stream is a pure function of (seed, epoch, sample, view).
///
/// Augmentation draws from one generator for each view of each sample, so its results depend neither on the
/// number of workers nor on their timing, and a run that is resumed equals one never stopped. The helpers that
/// draw numbers are our own, because the standard library's may change with its version.
///
/// ## Source
/// Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators" (OOPSLA 2014), `SplitMix64`.
public struct SplitMix64: RandomNumberGenerator, Sendable, Equatable {
    private static let step: UInt64 = 0x9E37_79B9_7F4A_7C15

    private var state: UInt64

    /// Creates a generator from one number.
    ///
    /// - Parameter seed: Any number.
    public init(seed: UInt64) {
        state = seed
    }

    /// Creates the generator of one view of one sample in one epoch.
    ///
    /// - Parameters:
    ///   - seed: The run's seed.
    ///   - epoch: The epoch, from 0.
    ///   - index: The sample's index in its data set.
    ///   - view: Which of several independent streams: the crops of a sample, or another use of chance.
    public init(seed: UInt64, epoch: Int, index: Int, view: Int = 0) {
        // Each part goes through the mixing function before the next one enters, so that
        // neighbouring epochs, samples and views have unrelated streams.
        var mixed = SplitMix64.mix(seed &+ SplitMix64.step)
        for part in [epoch, index, view] {
            mixed = SplitMix64.mix((mixed ^ UInt64(bitPattern: Int64(part))) &+ SplitMix64.step)
        }
        state = mixed
    }

    /// Returns the next 64 random bits.
    public mutating func next() -> UInt64 {
        state &+= SplitMix64.step
        return SplitMix64.mix(state)
    }

    /// Returns a number from 0 up to, but not including, 1, in steps of 2⁻⁵³.
    public mutating func uniform() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// Returns a number between two bounds.
    ///
    /// - Parameters:
    ///   - low: The lower bound, which may occur.
    ///   - high: The upper bound, which does not, rounding aside.
    /// - Returns: The number.
    public mutating func uniform(_ low: Double, _ high: Double) -> Double {
        low + (high - low) * uniform()
    }

    /// Returns an integer from 0 up to, but not including, a bound; every one is equally likely.
    ///
    /// - Parameter bound: The bound; below 2 the answer is 0.
    /// - Returns: The integer.
    public mutating func integer(below bound: Int) -> Int {
        guard bound > 1 else { return 0 }
        let range = UInt64(bound)
        // Lemire's method: the high half of a product, with the few values refused that would favour some.
        let threshold = (0 &- range) % range
        while true {
            let (high, low) = range.multipliedFullWidth(by: next())
            if low >= threshold { return Int(high) }
        }
    }

    /// Returns a number of the standard normal distribution.
    public mutating func normal() -> Double {
        // Box and Muller; 1 - u lies above 0, where the logarithm is finite.
        let radius = (-2 * log(1 - uniform())).squareRoot()
        return radius * cos(2 * .pi * uniform())
    }

    /// Puts an array into random order (Fisher and Yates).
    ///
    /// - Parameter values: The array.
    public mutating func shuffle<Value>(_ values: inout [Value]) {
        for last in stride(from: values.count - 1, to: 0, by: -1) {
            values.swapAt(last, integer(below: last + 1))
        }
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
