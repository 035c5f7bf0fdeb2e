import ImagePipeline

/// Keeps a bounded number of batches under way.
///
/// A batch of large images is made in parts of some images, one of small images by one task, because a task for
/// each would cost more than a small image does. Parts are dealt out to the workers in turn, each of which makes
/// one after the other: so no more than `workers` are made at once, and the batches' memory does not grow with their
/// number. What is under way is two batches, or as many as twice the workers have parts.
final class Prefetcher {
    /// The output pixels of a part: 16 images of 224 × 224.
    static let partPixels = 16 * 224 * 224

    private typealias Work = Task<Void, Never>

    /// A worker's memory: its parts are made one after the other, so only one of them uses it.
    private struct WorkerMemory: @unchecked Sendable {
        let scratch = ImageScratch()
    }

    private struct Pending {
        let assembly: BatchAssembly
        let parts: [Work]
    }

    private let sequence: BatchSequence
    private let partSize: Int
    private let ahead: Int
    private let pool: PixelPool
    private var next = 0
    private var pending: [Pending] = []
    /// The newest part of each worker.
    private var latest: [Work?]
    private let memory: [WorkerMemory]
    private var nextWorker = 0

    init(_ sequence: BatchSequence) {
        self.sequence = sequence
        partSize = Prefetcher.partSize(for: sequence.maker.transform)
        let batch = max(1, sequence.steps.first?.count ?? 1)
        let parts = (batch + partSize - 1) / partSize
        ahead = max(2, (2 * sequence.workers + parts - 1) / parts)
        // Beside those ahead the consumer has one, and holds on to another while it asks for the next.
        pool = PixelPool(limit: ahead + 2)
        latest = Array(repeating: nil, count: sequence.workers)
        memory = (0..<sequence.workers).map { _ in WorkerMemory() }
        fill()
    }

    deinit {
        cancel()
    }

    /// The number of images per task, estimated from the size of a typical result.
    private static func partSize(for transform: any ImageTransform) -> Int {
        guard let size = try? transform.outputSize(height: 375, width: 500) else { return 16 }
        let (area, overflow) = size.height.multipliedReportingOverflow(by: size.width)
        return overflow ? 1 : max(1, partPixels / max(1, area))
    }

    func next(isolation actor: isolated (any Actor)?) async throws(DatasetError) -> ImageBatch? {
        while !pending.isEmpty {
            let batch = try await deliver(pending.removeFirst(), isolation: actor)
            // Only where unreadable images are dropped can a batch lose all of its own.
            if batch.count > 0 { return batch }
        }
        return nil
    }

    private func deliver(
        _ work: Pending,
        isolation actor: isolated (any Actor)?
    ) async throws(DatasetError) -> ImageBatch {
        await withTaskCancellationHandler {
            await work.parts.last?.value
        } onCancel: {
            for part in work.parts { part.cancel() }
        }
        do throws(DatasetError) {
            // A cancelled batch is incomplete.
            if Task.isCancelled { throw .cancelled }
            let made = try work.assembly.takeBatch().get()
            try sequence.report.add(made.skipped)
            fill()
            return made.batch
        } catch {
            cancel()
            throw error
        }
    }

    private func fill() {
        while pending.count < ahead, next < sequence.steps.count {
            // A small last batch of a measurement may have no image for some of several processes.
            if !sequence.steps[next].isEmpty { pending.append(start(step: next)) }
            next += 1
        }
    }

    private func start(step: Int) -> Pending {
        let assembly = BatchAssembly(
            sequence.maker,
            step: sequence.firstStep + step,
            views: sequence.steps[step],
            partSize: partSize,
            pool: pool
        )
        var parts: [Work] = []
        for number in 0..<assembly.partCount {
            let previous = latest[nextWorker]
            let memory = memory[nextWorker]
            // The last part joins all; it waits for older parts only, so no two wait for each other.
            let others = number == assembly.partCount - 1 ? parts : nil
            let part = Work.detached(priority: .userInitiated) {
                _ = await previous?.value
                assembly.makePart(number, scratch: memory.scratch)
                guard let others else { return }
                for other in others { await other.value }
                assembly.join()
            }
            latest[nextWorker] = part
            nextWorker = (nextWorker + 1) % sequence.workers
            parts.append(part)
        }
        return Pending(assembly: assembly, parts: parts)
    }

    private func cancel() {
        for work in pending {
            for part in work.parts { part.cancel() }
        }
        pending = []
        next = sequence.steps.count
    }
}
