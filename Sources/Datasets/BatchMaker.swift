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
    let stage: (@Sendable (ImageBatch) -> (any Sendable)?)?

    /// Makes the images at some places of a batch; `room` returns the batch's storage for images of a size, and
    /// `nil` where the batch has images of another size.
    func make(
        _ places: Range<Int>,
        of views: [EpochPlan.View],
        scratch: ImageScratch,
        room: (ImageSize) throws(DatasetError) -> PixelStorage?
    ) throws(DatasetError) -> BatchPart {
        var part = BatchPart()
        var begun: Begun?
        for place in places {
            var candidate = views[place]
            let next = place + 1 < places.upperBound ? views[place + 1].index : nil
            var tries = 0
            while true {
                // Batches of large images stop soon after the consumer has gone.
                if Task.isCancelled { return part }
                guard
                    let error = try add(
                        candidate,
                        at: place,
                        to: &part,
                        begun: &begun,
                        isShownAgain: candidate.index == next,
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
                let neighbour = candidate.index + 1 == dataset.count ? 0 : candidate.index + 1
                candidate = EpochPlan.View(index: neighbour, view: candidate.view)
            }
        }
        return part
    }

    /// A file that is shown several times in a row, as far as all its views are alike.
    private struct Begun {
        let index: Int
        let image: Image
        /// The size of the views.
        let size: ImageSize
    }

    /// Adds one image; returns what is wrong with it, if anything is.
    ///
    /// `begun` is what was kept of the image before; where that is this one, nothing is read.
    private func add(
        _ view: EpochPlan.View,
        at place: Int,
        to part: inout BatchPart,
        begun: inout Begun?,
        isShownAgain: Bool,
        scratch: ImageScratch,
        room: (ImageSize) throws(DatasetError) -> PixelStorage?
    ) throws(DatasetError) -> ImageError? {
        let source: Source
        let size: ImageSize
        if let begun, begun.index == view.index {
            (source, size) = (.begun(begun.image), begun.size)
        } else {
            do throws(ImageError) {
                (source, size) = try open(view.index, isShownAgain: isShownAgain, scratch: scratch)
            } catch {
                return error
            }
            if case .begun(let image) = source {
                begun = Begun(index: view.index, image: image, size: size)
            }
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
            case .begun(let image):
                try transform.write(begun: image, into: target, using: &generator)
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

    /// An image as the data set has it, or further.
    private enum Source {
        case file(EncodedImage)
        /// What ``ImageTransform/beginning(of:scratch:)`` made of a file.
        case begun(Image)
        case image(Image)
    }

    /// Reads an image, and begins with it if it will be shown again and that saves work.
    private func open(
        _ index: Int,
        isShownAgain: Bool,
        scratch: ImageScratch
    ) throws(ImageError) -> (source: Source, size: ImageSize) {
        func size(_ height: Int, _ width: Int) throws(ImageError) -> ImageSize {
            let (height, width) = try transform.outputSize(height: height, width: width)
            return ImageSize(height: height, width: width)
        }
        guard let stored = try dataset.encodedImage(at: index) else {
            let image = try dataset.image(at: index)
            return (.image(image), try size(image.height, image.width))
        }
        let file = stored.seen(upright: transform.appliesOrientation)
        let outputSize = try size(file.height, file.width)
        if isShownAgain, let image = try transform.beginning(of: file, scratch: scratch) {
            return (.begun(image), outputSize)
        }
        return (.file(file), outputSize)
    }

    /// Mixes the images of a batch with one another, and returns their targets; `nil` where nothing is mixed and each image
    /// has one label.
    ///
    /// Of several processes each draws for the whole batch and applies what concerns its part.
    func mix(
        _ pixels: UnsafeMutableBufferPointer<Float>,
        size: ImageSize,
        _ part: BatchPart,
        step: Int
    ) throws(DatasetError) -> [Float]? {
        let labels = part.labels
        guard !labels.isEmpty else { return nil }
        let classes = dataset.classNames.count
        var several: [Float]?
        if dataset.isMultiLabel {
            several = MixingPlan.multiLabelTargets(
                labels: part.indices.map(dataset.labels),
                classes: classes,
                smoothing: smoothing
            )
        }
        guard let mixing else { return several }
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
            if let several { return try mixes.mixed(targets: several, classes: classes) }
            return try mixes.targets(labels: labels, classes: classes, smoothing: smoothing)
        } catch {
            throw .invalid(error.reason)
        }
    }
}
