import Datasets
import Foundation
import ImagePipeline

/// The pictures of masked modelling; labels are not looked at.
struct MIMData: Sendable {
    let options: TrainingOptions
    let train: any ImageDataset
    /// Pictures that are not learnt from, to look at; nil where there are none.
    let validation: (any ImageDataset)?
    let workers: Int

    /// Opens the data.
    ///
    /// - Throws: `DatasetError` where it cannot be used, or would give an epoch without a step.
    init(_ options: TrainingOptions) throws {
        self.options = options
        workers = options.workers ?? min(8, ProcessInfo.processInfo.activeProcessorCount)
        let seed = UInt64(bitPattern: Int64(options.seed))
        (train, validation) = try DatasetLocation(
            path: options.data,
            valFraction: options.valFraction,
            seed: seed
        ).openUnlabelled(
            trainLimit: options.trainLimit.map { .stratified($0, seed: seed) },
            validationLimit: options.valLimit.map { .stratified($0, seed: seed) }
        )
        guard options.batch <= train.count else {
            throw DatasetError.invalid(
                "a batch of \(options.batch) is larger than the data of \(train.count) pictures in \(options.data), "
                    + "and an epoch would have no step; choose a smaller --batch"
            )
        }
    }

    /// The loader of an attempt at training; a rolled-back run goes on in another order.
    func trainingLoader(_ transform: any ImageTransform, attempt: Int) throws -> DataLoader {
        try DataLoader(
            dataset: train,
            transform: transform,
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

    /// The pictures that reconstructions are shown of: always the same, held-out ones where there are some.
    func shown(_ count: Int, _ processor: ImageProcessor) throws -> DataLoader? {
        guard count > 0 else { return nil }
        let whole = validation ?? train
        // Spread over the data, whose first pictures are of one class often.
        let some = try Subset(
            of: whole,
            stratified: min(count, whole.count),
            seed: UInt64(bitPattern: Int64(options.seed))
        )
        return try DataLoader(
            dataset: some,
            transform: processor,
            plan: EpochPlan(count: some.count, batchSize: some.count, shuffles: false),
            workers: 1,
            policy: .drop(limit: some.count)
        )
    }
}
