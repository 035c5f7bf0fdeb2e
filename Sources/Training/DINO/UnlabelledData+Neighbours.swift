import Datasets
import ImagePipeline

extension UnlabelledData {
    /// The images that vote and those that are voted on; nil where there are no labels or it is not wanted.
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
            ).shared(share),
            workers: workers,
            policy: .drop(limit: min(options.skipLimit, dataset.count - 1))
        )
    }
}
