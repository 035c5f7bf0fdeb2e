/// The batches of one epoch, in order; the work ahead of need stops when the iterator goes.
public struct BatchSequence: AsyncSequence, Sendable {
    /// A batch.
    public typealias Element = ImageBatch
    /// What can go wrong.
    public typealias Failure = DatasetError

    let maker: BatchMaker
    let indices: [[Int]]
    let workers: Int
    let report: SkippedReport

    /// The number of steps.
    public var count: Int { indices.count }

    /// Starts the work and returns the iterator.
    public func makeAsyncIterator() -> Iterator {
        Iterator(prefetcher: Prefetcher(self))
    }

    /// Delivers the batches of one epoch.
    public struct Iterator: AsyncIteratorProtocol {
        let prefetcher: Prefetcher

        /// Returns the next batch, or `nil` after the last.
        ///
        /// - Throws: ``DatasetError`` when a picture that is needed cannot be used.
        public mutating func next() async throws(DatasetError) -> ImageBatch? {
            try await next(isolation: #isolation)
        }

        /// Returns the next batch, or `nil` after the last, without leaving the caller's actor.
        ///
        /// - Parameter actor: The caller's actor.
        /// - Returns: The batch.
        /// - Throws: ``DatasetError`` when a picture that is needed cannot be used.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(DatasetError) -> ImageBatch? {
            try await prefetcher.next(isolation: actor)
        }
    }
}

/// Keeps a bounded number of batches under way.
///
/// Batch `i` is made by worker `i mod workers`, after that worker's previous one: so no more than `workers`
/// are made at once, and twice as many are ready or under way. One task makes a whole batch, because a task for
/// each picture would cost more than a small picture does.
final class Prefetcher {
    private typealias Work = Task<Result<MadeBatch, DatasetError>, Never>

    private let sequence: BatchSequence
    private var next = 0
    private var pending: [Work] = []
    private var latest: [Work?]

    init(_ sequence: BatchSequence) {
        self.sequence = sequence
        latest = Array(repeating: nil, count: sequence.workers)
        fill()
    }

    deinit {
        cancel()
    }

    func next(isolation actor: isolated (any Actor)?) async throws(DatasetError) -> ImageBatch? {
        while !pending.isEmpty {
            let batch = try await deliver(pending.removeFirst(), isolation: actor)
            // Only where unreadable pictures are dropped can a batch lose all of its own.
            if batch.count > 0 { return batch }
        }
        return nil
    }

    private func deliver(
        _ work: Work,
        isolation actor: isolated (any Actor)?
    ) async throws(DatasetError) -> ImageBatch {
        let result = await withTaskCancellationHandler {
            await work.value
        } onCancel: {
            work.cancel()
        }
        do throws(DatasetError) {
            let made = try result.get()
            // A cancelled batch is incomplete.
            if Task.isCancelled { throw .cancelled }
            try sequence.report.add(made.skipped)
            fill()
            return made.batch
        } catch {
            cancel()
            throw error
        }
    }

    private func fill() {
        while pending.count < 2 * sequence.workers, next < sequence.indices.count {
            let indices = sequence.indices[next]
            let maker = sequence.maker
            let previous = latest[next % sequence.workers]
            let work = Work.detached(priority: .userInitiated) {
                _ = await previous?.value
                return Result { () throws(DatasetError) in try maker.make(indices) }
            }
            latest[next % sequence.workers] = work
            pending.append(work)
            next += 1
        }
    }

    private func cancel() {
        for work in pending { work.cancel() }
        pending = []
        next = sequence.indices.count
    }
}
