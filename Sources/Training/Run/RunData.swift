import Datasets
import ImagePipeline

/// The images of a run, opened and checked, and the loaders over them.
struct RunData: Sendable {
    private(set) var options: TrainingOptions
    let train: any ImageDataset
    let validation: any ImageDataset
    /// Whether the validation images are a share of the data that the run held out itself.
    let holdsOut: Bool
    /// How many batches are made at the same time.
    let workers: Int
    /// The images that an epoch shows.
    let imagesPerEpoch: Int

    /// Opens both parts of the data.
    ///
    /// - Throws: `DatasetError` where they cannot be used, or would give an epoch without a step.
    init(_ options: TrainingOptions) throws {
        self.options = options
        workers = options.workerCount
        let limits = options.datasetLimits
        let location = try options.datasetLocation()
        holdsOut = try location.holdsOutAShare()
        (train, validation) = try location.openBoth(
            trainLimit: limits.train,
            validationLimit: limits.validation
        )
        let plan = try EpochPlan(
            count: train.count,
            batchSize: 1,
            repeats: options.repeatedAug ?? 1
        )
        imagesPerEpoch = plan.viewsPerEpoch
        try Preflight.check(
            options,
            imagesPerEpoch: imagesPerEpoch,
            classes: train.classNames.count,
            path: options.data
        )
    }

    /// The same images, read as other options say that choose the same ones.
    ///
    /// - Throws: `DatasetError` where they would give an epoch without a step.
    func read(with options: TrainingOptions) throws(DatasetError) -> RunData {
        try Preflight.check(
            options,
            imagesPerEpoch: imagesPerEpoch,
            classes: train.classNames.count,
            path: options.data
        )
        var data = self
        data.options = options
        return data
    }

    var classNames: [String] { train.classNames }

    /// The loader of an attempt at training; a rolled-back run goes on in another order.
    func trainingLoader(_ transform: TrainingTransform, attempt: Int) throws -> DataLoader {
        try .training(train, transform, options, workers: workers, attempt: attempt)
    }

    /// The loader for measuring: every image once, in order.
    func validationLoader(_ processor: ImageProcessor) throws -> DataLoader {
        let batch = (options.batch + options.accumulation - 1) / options.accumulation
        return try DataLoader(
            dataset: validation,
            transform: processor,
            plan: EpochPlan(count: validation.count, batchSize: batch, shuffles: false),
            workers: workers,
            policy: .drop(limit: min(options.skipLimit, validation.count - 1))
        )
    }
}
