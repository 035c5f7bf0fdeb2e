import ImagePipeline

/// Which images each step of each epoch takes: a pure function of seed, epoch and step.
///
/// With repeated augmentation each image is shown several times in a row, every time as another random view, and
/// an epoch keeps its length: of `n` images shown `r` times, each epoch takes about `n / r` different ones. As in
/// the original the length is rounded down to a multiple of 256, unless the data is smaller than that. The original
/// deals the repeats out to its processes; here they are neighbours in the same batch, which adds up to the same.
///
/// ## Source
/// `facebookresearch/deit, samplers.py, RASampler`; timm's `RepeatAugSampler` for data of fewer than 256 images.
/// Those seed the order by the epoch alone; here it is the run's seed too.
public struct EpochPlan: Sendable, Equatable {
    /// What the number of views of an epoch is a multiple of, where images are repeated.
    static let repeatedRound = 256

    /// The number of images.
    public let count: Int
    /// The images of a step.
    public let batchSize: Int
    /// The run's seed.
    public let seed: UInt64
    /// Whether every epoch has an order of its own.
    public let shuffles: Bool
    /// Whether a last step with fewer images is left out.
    public let dropsLast: Bool
    /// How many views of an image are shown in a row; 1 is no repeated augmentation.
    public let repeats: Int

    /// One view of an image.
    struct View: Sendable, Equatable {
        let index: Int
        let view: Int
    }

    /// Creates a plan.
    ///
    /// - Parameters:
    ///   - count: The number of images, at least 1.
    ///   - batchSize: The images of a step, at least 1.
    ///   - seed: The run's seed.
    ///   - shuffles: Whether every epoch has an order of its own.
    ///   - dropsLast: Whether a last step with fewer images is left out.
    ///   - repeats: How many views of an image are shown in a row, at least 1; DeiT's repeated augmentation is 3.
    /// - Throws: ``DatasetError/invalid(_:)`` when an epoch would have no step.
    public init(
        count: Int,
        batchSize: Int,
        seed: UInt64 = 0,
        shuffles: Bool = true,
        dropsLast: Bool = false,
        repeats: Int = 1
    ) throws(DatasetError) {
        guard count > 0, batchSize > 0 else {
            throw .invalid("an epoch of \(count) images cannot have batches of \(batchSize)")
        }
        guard (1...1000).contains(repeats) else {
            throw .invalid(
                "the number of copies of an image must be from 1 to 1000, not \(repeats)"
            )
        }
        let views = EpochPlan.views(of: count, repeats: repeats)
        guard !dropsLast || batchSize <= views else {
            throw .invalid(
                "a batch of \(batchSize) is larger than the data of \(views) images; use a smaller batch size"
            )
        }
        self.count = count
        self.batchSize = batchSize
        self.seed = seed
        self.shuffles = shuffles
        self.dropsLast = dropsLast
        self.repeats = repeats
    }

    /// The views of an epoch: the images, or with repeats about as many views of fewer images.
    public var viewsPerEpoch: Int { EpochPlan.views(of: count, repeats: repeats) }

    /// The steps of an epoch.
    public var stepsPerEpoch: Int {
        dropsLast ? viewsPerEpoch / batchSize : (viewsPerEpoch - 1) / batchSize + 1
    }

    private static func views(of count: Int, repeats: Int) -> Int {
        repeats == 1 || count < repeatedRound ? count : count / repeatedRound * repeatedRound
    }

    /// The images of an epoch in the order in which they are shown; with repeats, each occurs several times.
    ///
    /// - Parameter epoch: The epoch, from 0.
    /// - Returns: The images' indices, ``viewsPerEpoch`` of them.
    public func order(epoch: Int) -> [Int] {
        let order = images(epoch: epoch)
        guard repeats > 1 else { return order }
        return (0..<viewsPerEpoch).map { order[$0 / repeats] }
    }

    /// The order of all images.
    private func images(epoch: Int) -> [Int] {
        var order = Array(0..<count)
        if shuffles {
            // Index -1 belongs to no sample, so this stream is apart from every augmentation's.
            var generator = SplitMix64(seed: seed, epoch: epoch, index: -1)
            generator.shuffle(&order)
        }
        return order
    }

    /// The images of the steps of an epoch.
    ///
    /// - Parameters:
    ///   - epoch: The epoch, from 0.
    ///   - step: The first step wanted, for going on in the middle of an epoch.
    /// - Returns: The images' indices, one array for each step.
    public func batches(epoch: Int, startingAt step: Int = 0) -> [[Int]] {
        let order = order(epoch: epoch)
        return steps(startingAt: step).map { Array(order[$0]) }
    }

    /// The views of the steps of an epoch.
    func views(epoch: Int, startingAt step: Int) -> [[View]] {
        let order = order(epoch: epoch)
        return steps(startingAt: step).map { positions in
            positions.map { View(index: order[$0], view: $0 % repeats) }
        }
    }

    /// The positions of each step in the order of the epoch.
    private func steps(startingAt first: Int) -> [Range<Int>] {
        let views = viewsPerEpoch
        return (max(0, first)..<max(0, first, stepsPerEpoch)).map { step in
            (step * batchSize)..<min(views, (step + 1) * batchSize)
        }
    }
}
