public import ImagePipeline

/// Reads, transforms and batches images ahead of need, on several workers.
///
/// The batches depend on data, transform, mixing, plan and epoch only, never on the number of workers or their timing.
public struct DataLoader: Sendable {
    /// The images.
    public let dataset: any ImageDataset
    /// What is done to each image.
    public let transform: any ImageTransform
    /// Which images each step takes; its seed is that of the transforms too.
    public let plan: EpochPlan
    /// How the images of a batch are mixed with one another, which gives the batches targets; `nil` for not at all.
    public let mixing: Mixing?
    /// The part of the targets that all classes share, where images are mixed.
    public let smoothing: Double
    /// How many images are made at the same time.
    public let workers: Int
    /// What to do with images that cannot be used.
    public let policy: UnreadablePolicy

    /// Called by a worker with each finished batch, ahead of its use; the batch keeps what it returns.
    package var stage: (@Sendable (ImageBatch) -> (any Sendable)?)?

    private let report: SkippedReport

    /// Creates a loader.
    ///
    /// - Parameters:
    ///   - dataset: The images.
    ///   - transform: What is done to each image.
    ///   - plan: Which images each step takes, made for as many images as the data has.
    ///   - mixing: How the images of a batch are mixed with one another, which gives the batches targets.
    ///   - smoothing: The part of the targets that all classes share, 0 up to 1; without mixing there are no targets,
    ///     and the loss does the smoothing.
    ///   - workers: How many images are made at the same time, at least 1.
    ///   - policy: What to do with images that cannot be used; `nil` means replacing them up to the default limit.
    /// - Throws: ``DatasetError/invalid(_:)`` when the values do not fit together.
    public init(
        dataset: any ImageDataset,
        transform: any ImageTransform,
        plan: EpochPlan,
        mixing: Mixing? = nil,
        smoothing: Double = 0,
        workers: Int = 2,
        policy: UnreadablePolicy? = nil
    ) throws(DatasetError) {
        guard plan.count == dataset.count else {
            throw .invalid(
                "the plan is for \(plan.count) images, but the data has \(dataset.count)"
            )
        }
        guard (1...1024).contains(workers) else {
            throw .invalid("the number of workers must be from 1 to 1024, not \(workers)")
        }
        try DataLoader.check(mixing, smoothing: smoothing, classes: dataset.classNames.count)
        if mixing != nil, plan.share != nil, case .drop = policy {
            throw .invalid(
                "images of a part of a batch cannot be mixed where unreadable ones are dropped: replace them"
            )
        }
        self.dataset = dataset
        self.transform = transform
        self.plan = plan
        self.mixing = mixing
        self.smoothing = smoothing
        self.workers = workers
        self.policy = policy ?? .replace(limit: UnreadablePolicy.usualLimit(count: dataset.count))
        self.report = SkippedReport(limit: self.policy.limit)
    }

    private static func check(
        _ mixing: Mixing?,
        smoothing: Double,
        classes: Int
    ) throws(DatasetError) {
        guard (0..<1).contains(smoothing) else {
            throw .invalid("label smoothing must be at least 0 and less than 1, not \(smoothing)")
        }
        guard let mixing else { return }
        guard classes > 1 else {
            throw .invalid("Mixup and CutMix need at least two classes; the data has \(classes)")
        }
        do throws(ImageError) {
            try mixing.validate()
        } catch {
            throw .invalid(error.reason)
        }
    }

    /// The images that could not be used in all batches delivered so far.
    public var skipped: SkippedImages { report.value }

    /// The batches of an epoch.
    ///
    /// - Parameters:
    ///   - epoch: The epoch, from 0.
    ///   - step: The first step wanted, for going on in the middle of an epoch.
    /// - Returns: The batches, made ahead of need once iteration starts.
    public func batches(epoch: Int = 0, startingAt step: Int = 0) -> BatchSequence {
        BatchSequence(
            maker: BatchMaker(
                dataset: dataset,
                transform: transform,
                mixing: mixing,
                smoothing: smoothing,
                policy: policy,
                plan: plan,
                epoch: epoch,
                stage: stage
            ),
            steps: plan.views(epoch: epoch, startingAt: step),
            firstStep: max(0, step),
            workers: workers,
            report: report
        )
    }
}
