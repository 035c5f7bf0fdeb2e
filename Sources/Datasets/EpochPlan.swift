import ImagePipeline

/// Which images each step of each epoch takes: a pure function of seed, epoch and step.
///
/// With repeated augmentation each image is shown several times in a row, every time as another random view, and
/// an epoch keeps its length: of `n` images shown `r` times, each epoch takes about `n / r` different ones. As in
/// the original the length is rounded down to a multiple of 256, unless the data is smaller than that. The original
/// deals the repeats out to its processes; here they are neighbours in the same batch, which adds up to the same: the batch
/// is that of all processes together, and each computes its ``BatchShare``.
///
/// With class-balanced sampling an epoch keeps its length too, and shows equally many images of each class: the numbers
/// differ by one at most. All images of a class are shown once, in random order, before any is shown again, each time as
/// another random view.
///
/// ## Source
/// `facebookresearch/deit, samplers.py, RASampler`; timm's `RepeatAugSampler` for data of fewer than 256 images.
/// Those seed the order by the epoch alone; here it is the run's seed too. Balanced sampling has the expectation of
/// PyTorch's `WeightedRandomSampler` with the weights 1 / (images of the class), without the chance in the numbers.
public struct EpochPlan: Sendable, Equatable {
    /// What the number of views of an epoch is a multiple of, where images are repeated.
    static let repeatedRound = 256

    /// The number of images.
    public let count: Int
    /// The images of a step.
    public let batchSize: Int
    /// The run's seed.
    public private(set) var seed: UInt64
    /// Whether every epoch has an order of its own.
    public let shuffles: Bool
    /// Whether a last step with fewer images is left out.
    public let dropsLast: Bool
    /// How many views of an image are shown in a row; 1 means no repeated augmentation.
    public let repeats: Int
    /// The part of each step that this process computes; nil for all of it.
    public private(set) var share: BatchShare?
    /// The images of each class that has some, for balanced sampling; nil shows every image equally often.
    private let members: [[Int]]?

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
    ///   - labels: The class of each image, to show equally many images of each class; nil shows every image equally
    ///     often.
    /// - Throws: ``DatasetError/invalid(_:)`` when an epoch would have no step.
    public init(
        count: Int,
        batchSize: Int,
        seed: UInt64 = 0,
        shuffles: Bool = true,
        dropsLast: Bool = false,
        repeats: Int = 1,
        balancing labels: [Int]? = nil
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
        guard labels == nil || labels?.count == count && shuffles else {
            throw .invalid(
                "balanced sampling needs the class of each of the \(count) images, and a random order"
            )
        }
        self.count = count
        self.batchSize = batchSize
        self.seed = seed
        self.shuffles = shuffles
        self.dropsLast = dropsLast
        self.repeats = repeats
        members = labels.map { labels in
            Dictionary(grouping: labels.indices) { labels[$0] }.sorted { $0.key < $1.key }
                .map(\.value)
        }
    }

    /// The same plan with another seed, which a run takes after it was rolled back.
    ///
    /// - Parameter seed: The seed.
    /// - Returns: The plan.
    public func reseeded(_ seed: UInt64) -> EpochPlan {
        var plan = self
        plan.seed = seed
        return plan
    }

    /// The same plan for one of several processes, of which each makes a part of every batch.
    ///
    /// - Parameter share: The part; nil for all of it.
    /// - Returns: The plan; its steps and its ``batchSize`` are those of the whole batches.
    public func shared(_ share: BatchShare?) -> EpochPlan {
        var plan = self
        plan.share = share
        return plan
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
        let order = members.map { balanced($0, epoch: epoch) } ?? images(epoch: epoch)
        guard repeats > 1 else { return order }
        return (0..<viewsPerEpoch).map { order[$0 / repeats] }
    }

    /// As many images of each class as fill an epoch, in random order.
    private func balanced(_ members: [[Int]], epoch: Int) -> [Int] {
        let slots = (viewsPerEpoch + repeats - 1) / repeats
        // Index -1 belongs to no sample, so this stream is apart from every augmentation's.
        var generator = SplitMix64(seed: seed, epoch: epoch, index: -1)
        var classes = Array(members.indices)
        // Which classes have one image more is drawn as well.
        generator.shuffle(&classes)
        var order: [Int] = []
        order.reserveCapacity(slots)
        for (place, label) in classes.enumerated() {
            var wanted = slots / classes.count + (place < slots % classes.count ? 1 : 0)
            while wanted > 0 {
                var round = members[label]
                generator.shuffle(&round)
                order += round.prefix(wanted)
                wanted -= min(wanted, round.count)
            }
        }
        generator.shuffle(&order)
        return order
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

    /// The images of the steps of an epoch, those of this process's ``share``.
    ///
    /// - Parameters:
    ///   - epoch: The epoch, from 0.
    ///   - step: The first step wanted, for going on in the middle of an epoch.
    /// - Returns: The images' indices, one array for each step.
    public func batches(epoch: Int, startingAt step: Int = 0) -> [[Int]] {
        let order = order(epoch: epoch)
        return steps(startingAt: step).map { places(of: $0).map { order[$0] } }
    }

    /// The views of the steps of an epoch.
    func views(epoch: Int, startingAt step: Int) -> [[View]] {
        let order = order(epoch: epoch)
        let numbers = members == nil ? nil : occurrences(in: order)
        return steps(startingAt: step).map { positions in
            places(of: positions).map {
                View(index: order[$0], view: numbers?[$0] ?? $0 % repeats)
            }
        }
    }

    /// How often each image was shown before, so that no two views of an image in an epoch are augmented alike.
    private func occurrences(in order: [Int]) -> [Int] {
        var shown = [Int](repeating: 0, count: count)
        return order.map { index in
            defer { shown[index] += 1 }
            return shown[index]
        }
    }

    /// The positions of each step in the order of the epoch, over all processes.
    private func steps(startingAt first: Int) -> [Range<Int>] {
        (max(0, first)..<max(0, first, stepsPerEpoch)).map { step in
            (step * batchSize)..<(step * batchSize + imageCount(ofStep: step))
        }
    }

    /// The images of a step, over all processes.
    func imageCount(ofStep step: Int) -> Int {
        max(0, min(viewsPerEpoch - step * batchSize, batchSize))
    }

    /// The positions among those of a step that this process computes.
    private func places(of positions: Range<Int>) -> [Int] {
        guard let share else { return Array(positions) }
        return share.places(inBatchOf: positions.count).map { positions.lowerBound + $0 }
    }
}
