/// Seeds that are a pure function of where training is, so that a resumed run draws the same numbers.
public enum StepRandomness {
    /// The seed of libtorch's generator for one step: drop path and dropout draw from it.
    ///
    /// - Parameters:
    ///   - seed: The run's seed.
    ///   - epoch: The epoch, from 0.
    ///   - step: The step within the epoch, from 0.
    ///   - attempt: How often the run was rolled back; a new attempt draws new numbers.
    ///   - rank: The process; each has images of its own, and draws numbers of its own for them.
    /// - Returns: The seed.
    public static func seed(
        _ seed: Int,
        epoch: Int,
        step: Int,
        attempt: Int = 0,
        rank: Int = 0
    ) -> UInt64 {
        var state: UInt64 = 0x6465_6974_7374_6570
        for value in [seed, epoch, step, attempt] {
            state = mixed(state ^ UInt64(bitPattern: Int64(value)))
        }
        return rank == 0 ? state : mixed(state ^ UInt64(bitPattern: Int64(rank)))
    }

    /// The seed of the order and augmentation of the images.
    public static func dataSeed(_ seed: Int, attempt: Int) -> UInt64 {
        attempt == 0
            ? UInt64(bitPattern: Int64(seed))
            : mixed(UInt64(bitPattern: Int64(seed)) ^ mixed(UInt64(attempt)))
    }

    private static func mixed(_ value: UInt64) -> UInt64 { SplitMixFinalizer.mixed(value) }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
enum SplitMixFinalizer {
    static func mixed(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
