import Datasets
import ImagePipeline

extension UnlabelledData {
    /// The images that reconstructions are shown of: always the same, held-out ones where there are some.
    ///
    /// - Parameters:
    ///   - count: How many; fewer where there are fewer.
    ///   - processor: What makes pixels of them.
    /// - Returns: A loader of one batch; nil for none.
    /// - Throws: `DatasetError` where they cannot be chosen.
    func shown(_ count: Int, _ processor: ImageProcessor) throws -> DataLoader? {
        guard count > 0 else { return nil }
        let whole = validation ?? train
        // Spread over the data, whose first images are of one class often.
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
