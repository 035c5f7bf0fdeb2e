import ImagePipeline

/// What to do with a picture that cannot be read or decoded.
public enum UnreadablePolicy: Sendable, Equatable {
    /// The first one ends the iteration with an error: for measurements that must be complete.
    case fail
    /// The next readable picture takes its place, so that batches and steps stay the same: for training.
    /// More than `limit` different ones end the iteration.
    case replace(limit: Int)
    /// It is left out and its batch is smaller: for measurements. More than `limit` end the iteration.
    case drop(limit: Int)

    /// The limit that is usual: one in a hundred, but at least ten.
    ///
    /// - Parameter count: The number of pictures.
    /// - Returns: The limit.
    public static func usualLimit(count: Int) -> Int { max(10, count / 100) }

    var limit: Int {
        switch self {
        case .fail: 0
        case .replace(let limit), .drop(let limit): limit
        }
    }
}

/// A batch, with the pictures that could not be used for it.
struct MadeBatch: Sendable {
    var batch: ImageBatch
    var skipped: [(index: Int, entry: SkippedPictures.Entry)]
}

/// Makes whole batches; each is a pure function of its indices, the seed and the epoch.
struct BatchMaker: Sendable {
    /// How many neighbours are tried for an unreadable picture.
    static let replacementTries = 100

    let dataset: any ImageDataset
    let transform: any ImageTransform
    let policy: UnreadablePolicy
    let seed: UInt64
    let epoch: Int

    /// Makes the batch of the given pictures.
    func make(_ indices: [Int]) throws(DatasetError) -> MadeBatch {
        var builder = BatchBuilder(capacity: indices.count, channels: transform.channels)
        var skipped: [(index: Int, entry: SkippedPictures.Entry)] = []
        for index in indices {
            var candidate = index
            var tries = 0
            while true {
                // Long batches of large pictures stop soon after the consumer has gone.
                if Task.isCancelled { break }
                do throws(ImageError) {
                    try append(candidate, to: &builder)
                    break
                } catch {
                    let entry = SkippedPictures.Entry(
                        name: dataset.name(at: candidate),
                        error: error
                    )
                    skipped.append((candidate, entry))
                }
                guard case .replace = policy else { break }
                tries += 1
                candidate = candidate + 1 == dataset.count ? 0 : candidate + 1
                guard tries <= min(BatchMaker.replacementTries, dataset.count - 1) else {
                    throw .noReplacement(name: dataset.name(at: index), tries: tries - 1)
                }
            }
        }
        if let first = skipped.first, policy == .fail {
            throw .unreadablePicture(name: first.entry.name, error: first.entry.error)
        }
        if let mismatch = builder.mismatch { throw .invalid(mismatch) }
        return MadeBatch(batch: builder.batch, skipped: skipped)
    }

    private func append(_ index: Int, to builder: inout BatchBuilder) throws(ImageError) {
        let image = try dataset.image(at: index)
        let size = try transform.outputSize(height: image.height, width: image.width)
        var generator = SplitMix64(seed: seed, epoch: epoch, index: index, view: 0)
        try builder.append(label: dataset.label(at: index), index: index, size: size) {
            buffer throws(ImageError) in
            try transform.write(image, into: buffer, using: &generator)
        }
    }
}

/// A batch that grows by one picture at a time.
private struct BatchBuilder {
    let capacity: Int
    let channels: Int
    var pixels: [Float] = []
    var labels: [Int] = []
    var indices: [Int] = []
    var height = 0
    var width = 0
    /// What is wrong with the transform, which is not the picture's fault.
    var mismatch: String?

    init(capacity: Int, channels: Int) {
        self.capacity = capacity
        self.channels = channels
    }

    var batch: ImageBatch {
        ImageBatch(
            pixels: labels.count == capacity
                ? pixels : Array(pixels.prefix(labels.count * sampleSize)),
            labels: labels,
            indices: indices,
            channels: channels,
            height: height,
            width: width
        )
    }

    private var sampleSize: Int { channels * height * width }

    mutating func append(
        label: Int,
        index: Int,
        size: (height: Int, width: Int),
        write: (UnsafeMutableBufferPointer<Float>) throws(ImageError) -> Void
    ) throws(ImageError) {
        if labels.isEmpty {
            (height, width) = size
            pixels = [Float](repeating: 0, count: capacity * sampleSize)
        }
        guard size == (height, width) else {
            mismatch =
                "pictures of one batch become \(height) × \(width) and \(size.height) × \(size.width) pixels;"
                + " the transform needs a crop or an exact size"
            return
        }
        let start = labels.count * sampleSize
        let sample = sampleSize
        let result = pixels.withUnsafeMutableBufferPointer { buffer in
            Result { () throws(ImageError) in
                try write(UnsafeMutableBufferPointer(rebasing: buffer[start..<(start + sample)]))
            }
        }
        try result.get()
        labels.append(label)
        indices.append(index)
    }
}
