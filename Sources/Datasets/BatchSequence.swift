/// The batches of one epoch, in order; the work ahead of need stops when the iterator goes.
public struct BatchSequence: AsyncSequence, Sendable {
    /// A batch.
    public typealias Element = ImageBatch
    /// What can go wrong.
    public typealias Failure = DatasetError

    let maker: BatchMaker
    let steps: [[EpochPlan.View]]
    let firstStep: Int
    let workers: Int
    let report: SkippedReport

    /// The number of steps.
    public var count: Int { steps.count }

    /// Starts the work and returns the iterator.
    public func makeAsyncIterator() -> Iterator {
        Iterator(prefetcher: Prefetcher(self))
    }

    /// Delivers the batches of one epoch.
    public struct Iterator: AsyncIteratorProtocol {
        let prefetcher: Prefetcher

        /// Returns the next batch, or `nil` after the last.
        ///
        /// - Throws: ``DatasetError`` when an image that is needed cannot be used.
        public mutating func next() async throws(DatasetError) -> ImageBatch? {
            try await next(isolation: #isolation)
        }

        /// Returns the next batch, or `nil` after the last, without leaving the caller's actor.
        ///
        /// - Parameter actor: The caller's actor.
        /// - Returns: The batch.
        /// - Throws: ``DatasetError`` when an image that is needed cannot be used.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(DatasetError) -> ImageBatch? {
            try await prefetcher.next(isolation: actor)
        }
    }
}
