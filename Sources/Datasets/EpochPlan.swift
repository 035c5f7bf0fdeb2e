import ImagePipeline

/// Which pictures each step of each epoch takes: a pure function of seed, epoch and step.
public struct EpochPlan: Sendable, Equatable {
    /// The number of pictures.
    public let count: Int
    /// The pictures of a step.
    public let batchSize: Int
    /// The run's seed.
    public let seed: UInt64
    /// Whether every epoch has an order of its own.
    public let shuffles: Bool
    /// Whether a last step with fewer pictures is left out.
    public let dropsLast: Bool

    /// Creates a plan.
    ///
    /// - Parameters:
    ///   - count: The number of pictures, at least 1.
    ///   - batchSize: The pictures of a step, at least 1.
    ///   - seed: The run's seed.
    ///   - shuffles: Whether every epoch has an order of its own.
    ///   - dropsLast: Whether a last step with fewer pictures is left out.
    /// - Throws: ``DatasetError/invalid(_:)`` when an epoch would have no step.
    public init(
        count: Int,
        batchSize: Int,
        seed: UInt64 = 0,
        shuffles: Bool = true,
        dropsLast: Bool = false
    ) throws(DatasetError) {
        guard count > 0, batchSize > 0 else {
            throw .invalid("an epoch of \(count) pictures has no batches of \(batchSize)")
        }
        guard !dropsLast || batchSize <= count else {
            throw .invalid(
                "a batch of \(batchSize) is larger than the data of \(count) pictures; choose a smaller batch"
            )
        }
        self.count = count
        self.batchSize = batchSize
        self.seed = seed
        self.shuffles = shuffles
        self.dropsLast = dropsLast
    }

    /// The steps of an epoch.
    public var stepsPerEpoch: Int {
        dropsLast ? count / batchSize : (count - 1) / batchSize + 1
    }

    /// The order of all pictures in an epoch.
    ///
    /// - Parameter epoch: The epoch, from 0.
    /// - Returns: The pictures' indices.
    public func order(epoch: Int) -> [Int] {
        var order = Array(0..<count)
        if shuffles {
            // Index -1 belongs to no sample, so this stream is apart from every augmentation's.
            var generator = SplitMix64(seed: seed, epoch: epoch, index: -1)
            generator.shuffle(&order)
        }
        return order
    }

    /// The pictures of the steps of an epoch.
    ///
    /// - Parameters:
    ///   - epoch: The epoch, from 0.
    ///   - step: The first step wanted, for going on in the middle of an epoch.
    /// - Returns: The pictures' indices, one array for each step.
    public func batches(epoch: Int, startingAt step: Int = 0) -> [[Int]] {
        let order = order(epoch: epoch)
        return (max(0, step)..<max(step, stepsPerEpoch, 0)).map { step in
            Array(order[(step * batchSize)..<min(count, (step + 1) * batchSize)])
        }
    }
}
