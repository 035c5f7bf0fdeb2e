import ImagePipeline

/// A batch, with the images that could not be used for it.
struct MadeBatch: Sendable {
    var batch: ImageBatch
    var skipped: [(index: Int, entry: SkippedImages.Entry)]
}

/// Some neighbouring images of a batch, written to its storage.
struct BatchPart: Sendable {
    /// The positions of the usable images in the batch.
    var places: [Int] = []
    var labels: [Int] = []
    var indices: [Int] = []
    var skipped: [(index: Int, entry: SkippedImages.Entry)] = []
    /// The different sizes met; more than one is the transform's fault, not the images'.
    var sizes: [ImageSize] = []
}

/// Makes batches; each is a pure function of its views, the seed and the epoch.
struct BatchMaker: Sendable {
    /// How many neighbours are tried for an unreadable image.
    static let replacementTries = 100

    let dataset: any ImageDataset
    let transform: any ImageTransform
    let mixing: Mixing?
    let smoothing: Double
    let policy: UnreadablePolicy
    let plan: EpochPlan
    let epoch: Int

    /// Makes the images at some places of a batch; `room` returns the batch's storage for images of a size, and
    /// `nil` where the batch has images of another size.
    func make(
        _ places: Range<Int>,
        of views: [EpochPlan.View],
        scratch: ImageScratch,
        room: (ImageSize) throws(DatasetError) -> PixelStorage?
    ) throws(DatasetError) -> BatchPart {
        var part = BatchPart()
        for place in places {
            var candidate = views[place]
            var tries = 0
            while true {
                // Batches of large images stop soon after the consumer has gone.
                if Task.isCancelled { return part }
                guard
                    let error = try add(
                        candidate,
                        at: place,
                        to: &part,
                        scratch: scratch,
                        room: room
                    )
                else {
                    break
                }
                let name = dataset.name(at: candidate.index)
                part.skipped.append(
                    (candidate.index, SkippedImages.Entry(name: name, error: error))
                )
                if policy == .fail { throw .unreadableImage(name: name, error: error) }
                guard case .replace = policy else { break }
                tries += 1
                guard tries <= min(BatchMaker.replacementTries, dataset.count - 1) else {
                    throw .noReplacement(
                        name: dataset.name(at: views[place].index),
                        tries: tries - 1
                    )
                }
                let next = candidate.index + 1 == dataset.count ? 0 : candidate.index + 1
                candidate = EpochPlan.View(index: next, view: candidate.view)
            }
        }
        return part
    }

    /// Adds one image; returns what is wrong with it, if anything is.
    private func add(
        _ view: EpochPlan.View,
        at place: Int,
        to part: inout BatchPart,
        scratch: ImageScratch,
        room: (ImageSize) throws(DatasetError) -> PixelStorage?
    ) throws(DatasetError) -> ImageError? {
        let source: Source
        let size: ImageSize
        do throws(ImageError) {
            source = try read(view.index)
            let (height, width) = try transform.outputSize(
                height: source.height,
                width: source.width
            )
            size = ImageSize(height: height, width: width)
        } catch {
            return error
        }
        if !part.sizes.contains(size) { part.sizes.append(size) }
        guard let storage = try room(size) else { return nil }
        let sample = transform.channels * size.height * size.width
        let target = UnsafeMutableBufferPointer(
            rebasing: storage.buffer[(place * sample)..<((place + 1) * sample)]
        )
        var generator = SplitMix64(
            seed: plan.seed,
            epoch: epoch,
            index: view.index,
            view: view.view
        )
        do throws(ImageError) {
            switch source {
            case .file(let file):
                try transform.write(file, into: target, using: &generator, scratch: scratch)
            case .image(let image):
                try transform.write(image, into: target, using: &generator)
            }
        } catch {
            return error
        }
        part.places.append(place)
        part.labels.append(dataset.label(at: view.index))
        part.indices.append(view.index)
        return nil
    }

    /// An image as the data set has it.
    private enum Source {
        case file(EncodedImage)
        case image(Image)

        var height: Int {
            switch self {
            case .file(let file): file.height
            case .image(let image): image.height
            }
        }

        var width: Int {
            switch self {
            case .file(let file): file.width
            case .image(let image): image.width
            }
        }
    }

    private func read(_ index: Int) throws(ImageError) -> Source {
        if let file = try dataset.encodedImage(at: index) {
            return .file(file.seen(upright: transform.appliesOrientation))
        }
        return .image(try dataset.image(at: index))
    }

    /// Mixes the images of a batch with one another, and returns their targets; `nil` where nothing is mixed.
    ///
    /// Of several processes each draws for the whole batch and applies what concerns its part.
    func mix(
        _ pixels: UnsafeMutableBufferPointer<Float>,
        size: ImageSize,
        labels: [Int],
        step: Int
    ) throws(DatasetError) -> [Float]? {
        guard let mixing, !labels.isEmpty else { return nil }
        // Index -2 belongs to no sample and not to the order of the epoch.
        var generator = SplitMix64(seed: plan.seed, epoch: epoch, index: -2, view: step)
        do throws(ImageError) {
            let whole = plan.share.map { _ in plan.imageCount(ofStep: step) } ?? labels.count
            var mixes = try mixing.plan(
                count: whole,
                height: size.height,
                width: size.width,
                using: &generator
            )
            if let share = plan.share { mixes = mixes.part(share.places(inBatchOf: whole)) }
            try mixes.apply(to: pixels, channels: transform.channels)
            return try mixes.targets(
                labels: labels,
                classes: dataset.classNames.count,
                smoothing: smoothing
            )
        } catch {
            throw .invalid(error.reason)
        }
    }
}
