import ImagePipeline

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
