import ImagePipeline
import Synchronization

/// One batch in the making: its parts are made side by side, then joined.
final class BatchAssembly: Sendable {
    private let maker: BatchMaker
    private let step: Int
    private let views: [EpochPlan.View]
    private let partSize: Int
    private let pool: PixelPool
    private let state: Mutex<State>

    private struct State {
        var storage: PixelStorage?
        var size: ImageSize?
        var parts: [Result<BatchPart, DatasetError>?]
        var batch: Result<MadeBatch, DatasetError>?
    }

    init(
        _ maker: BatchMaker,
        step: Int,
        views: [EpochPlan.View],
        partSize: Int,
        pool: PixelPool
    ) {
        self.maker = maker
        self.step = step
        self.views = views
        self.partSize = partSize
        self.pool = pool
        let parts = (views.count + partSize - 1) / partSize
        state = Mutex(State(parts: Array(repeating: nil, count: parts)))
    }

    /// How many parts there are to make.
    var partCount: Int { (views.count + partSize - 1) / partSize }

    /// Hands over the batch, once its parts are joined.
    func takeBatch() -> Result<MadeBatch, DatasetError> {
        state.withLock { state in
            let batch = state.batch
            state = State(parts: [])
            return batch ?? .failure(.cancelled)
        }
    }

    /// Makes one part.
    func makePart(_ number: Int, scratch: ImageScratch) {
        let places = (number * partSize)..<min(views.count, (number + 1) * partSize)
        let part = Result { () throws(DatasetError) in
            try maker.make(places, of: views, scratch: scratch) { size throws(DatasetError) in
                try room(for: size)
            }
        }
        state.withLock { $0.parts[number] = part }
    }

    /// Makes a batch of the parts, all of which have been made.
    func join() {
        let state = state.withLock { $0 }
        let batch = Result { () throws(DatasetError) in
            var whole = BatchPart()
            for part in state.parts {
                guard let part = try part?.get() else { throw .cancelled }
                whole.places += part.places
                whole.labels += part.labels
                whole.indices += part.indices
                whole.skipped += part.skipped
                for size in part.sizes where !whole.sizes.contains(size) {
                    whole.sizes.append(size)
                }
            }
            return MadeBatch(
                batch: try joined(whole, storage: state.storage),
                skipped: whole.skipped
            )
        }
        self.state.withLock { $0.batch = batch }
    }

    private func joined(
        _ whole: BatchPart,
        storage: PixelStorage?
    ) throws(DatasetError) -> ImageBatch {
        if whole.sizes.count > 1 {
            let (one, other) = (whole.sizes[0], whole.sizes[1])
            throw .invalid(
                "images of a batch have the sizes \(one) and \(other); the transform needs a crop or an exact size"
            )
        }
        let size = whole.sizes.first ?? ImageSize(height: 0, width: 0)
        let channels = maker.transform.channels
        let sample = channels * size.height * size.width
        var targets: [Float]?
        if let storage {
            closeGaps(whole.places, storage, sample)
            let used = storage.buffer[..<(whole.labels.count * sample)]
            targets = try maker.mix(
                UnsafeMutableBufferPointer(rebasing: used),
                size: size,
                whole,
                step: step
            )
        }
        var batch = ImageBatch(
            labels: whole.labels,
            targets: targets,
            isMultiLabel: maker.dataset.isMultiLabel,
            indices: whole.indices,
            channels: channels,
            height: size.height,
            width: size.width,
            storage: storage
        )
        if batch.count > 0 { batch.staged = maker.stage?(batch) }
        return batch
    }

    /// Moves the images together where some in between could not be used.
    private func closeGaps(_ places: [Int], _ storage: PixelStorage, _ sample: Int) {
        guard let start = storage.buffer.baseAddress else { return }
        for (target, place) in places.enumerated() where target != place {
            (start + target * sample).update(from: start + place * sample, count: sample)
        }
    }

    /// The storage, whose size the first image decides; `nil` for images of another size.
    private func room(for size: ImageSize) throws(DatasetError) -> PixelStorage? {
        let (storage, decided) = state.withLock { state in
            if state.size == nil {
                state.size = size
                state.storage = capacity(for: size).flatMap { pool.take($0) }
            }
            return (state.storage, state.size)
        }
        guard decided == size else { return nil }
        guard let storage else {
            throw .invalid(
                "not enough memory for a batch of \(views.count) images of \(size); use a smaller batch size"
            )
        }
        return storage
    }

    private func capacity(for size: ImageSize) -> Int? {
        var capacity = views.count
        for factor in [maker.transform.channels, size.height, size.width] {
            let (product, overflow) = capacity.multipliedReportingOverflow(by: factor)
            if overflow { return nil }
            capacity = product
        }
        return capacity
    }
}
