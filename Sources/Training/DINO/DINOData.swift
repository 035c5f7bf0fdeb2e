import Datasets
import ImagePipeline

/// The pictures of a run that learns without labels, opened and checked.
struct DINOData: Sendable {
    let options: TrainingOptions
    let train: any ImageDataset
    /// Pictures to measure by; nil where there are no labels.
    let validation: (any ImageDataset)?
    let workers: Int

    /// Opens the data.
    ///
    /// - Throws: `DatasetError` where it cannot be used, or would give an epoch without a step.
    init(_ options: TrainingOptions) throws {
        self.options = options
        workers = options.workerCount
        let limits = options.datasetLimits
        (train, validation) = try options.datasetLocation().openUnlabelled(
            trainLimit: limits.train,
            validationLimit: limits.validation
        )
        try DINOPreflight.check(options, count: train.count)
    }

    /// The loader of an attempt at training; a rolled-back run goes on in another order.
    func trainingLoader(_ crops: MultiCrop, attempt: Int) throws -> DataLoader {
        try DataLoader(
            dataset: train,
            transform: crops,
            plan: EpochPlan(
                count: train.count,
                batchSize: options.batch,
                seed: StepRandomness.dataSeed(options.seed, attempt: attempt),
                dropsLast: true
            ),
            workers: workers,
            policy: .replace(limit: options.skipLimit)
        )
    }

    /// The pictures that vote and those that are voted on; nil where there are no labels or it is not wanted.
    func neighbourLoaders(
        _ processor: ImageProcessor
    ) throws -> (bank: DataLoader, queries: DataLoader)? {
        guard options.knnInterval != nil, let validation else { return nil }
        let seed = UInt64(bitPattern: Int64(options.seed))
        let bank = try Subset(of: train, stratified: options.knnLimit, seed: seed)
        return (try loader(bank, processor), try loader(validation, processor))
    }

    private func loader(
        _ dataset: any ImageDataset,
        _ processor: ImageProcessor
    ) throws -> DataLoader {
        try DataLoader(
            dataset: dataset,
            transform: processor,
            plan: EpochPlan(
                count: dataset.count,
                batchSize: min(options.batch, 64),
                shuffles: false
            ),
            workers: workers,
            policy: .drop(limit: min(options.skipLimit, dataset.count - 1))
        )
    }
}
