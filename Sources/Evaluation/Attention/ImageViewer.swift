public import Checkpoints
public import ImagePipeline
public import Inference
public import Torch

/// Shows images of any size to a transformer and tells what it attended to.
public struct ImageViewer {
    /// What looks into the model.
    public let reader: AttentionReader

    /// In which size images are shown to it.
    public let size: ViewingSize

    /// The model's own way from an image to its input.
    public let processor: ImageProcessor
    private let predictor: Predictor

    /// What an image is, most likely.
    public struct Guess: Sendable, Equatable {
        /// The name of the class.
        public let label: String

        /// Its score: a probability, 0 to 1, or a regression's output.
        public let score: Double

        /// How the score was made.
        public let scoring: ClassScoring

        /// The score and the label, as a caption.
        var text: String { "\(scoring.text(score, digits: 0)) \(label)" }
    }

    /// An image as the model saw it.
    public struct View {
        /// The image in the size in which it was seen, in colour; small ones several times as large.
        public let image: Image

        /// The rows that the model saw.
        public let height: Int

        /// The columns that the model saw.
        public let width: Int

        /// Whether memory made it smaller than its own size.
        public let isShrunk: Bool

        /// What was attended to.
        public let reading: AttentionReading
    }

    // Maps of a few pixels show nothing.
    private static let leastShownSide = 196

    /// Creates a viewer.
    ///
    /// - Parameters:
    ///   - reader: What looks into the model.
    ///   - predictor: The model, which names what images show.
    ///   - size: In which size images are shown to it.
    public init(_ reader: AttentionReader, _ predictor: Predictor, size: ViewingSize) {
        self.reader = reader
        self.size = size
        self.predictor = predictor
        processor = predictor.description.processor
    }

    /// Looks at an image.
    ///
    /// - Parameters:
    ///   - image: The image.
    ///   - exactly: Its rows and columns for the model; nil for those of ``size``.
    /// - Returns: What the model saw and attended to.
    /// - Throws: ``EvaluationError`` when it would need too much memory, `ImageError` when it cannot be resized.
    public func look(
        at image: Image,
        exactly: (height: Int, width: Int)? = nil
    ) throws -> View {
        try size.checkRoom(height: image.height, width: image.width)
        let seen =
            try exactly.map { ($0.height, $0.width, false) }
            ?? size(height: image.height, width: image.width)
        let processor = try ViewingSize.processor(self.processor, height: seen.0, width: seen.1)
        let (values, height, width) = try processor(image)
        let shape = [1, processor.channels, height, width]
        let reading = try reader(Tensor(values, shape: shape))
        let small = try processor.prepare(image).converted(toChannels: 3)
        let factor = max(1, (Self.leastShownSide + min(height, width) - 1) / min(height, width))
        return View(
            image: try small.resized(
                height: height * factor,
                width: width * factor,
                interpolation: .nearest
            ),
            height: height,
            width: width,
            isShrunk: seen.2,
            reading: reading
        )
    }

    /// Names what an image shows, as `deit classify` does: of the image as the model's own pre-processing makes it,
    /// which crops it as a rule, whatever size the maps are of.
    ///
    /// - Parameter image: The image.
    /// - Returns: The most likely class; nil where the model has no classes, or where what is looked into is not its last
    ///   block.
    /// - Throws: `ImageError` when it cannot be resized, `TorchError` when the model does not take what comes of it.
    @ModelActor
    public func guess(of image: Image) throws -> Guess? {
        guard reader.givesLogits else { return nil }
        guard let best = try predictor.classify(image, top: 1).first, best.score.isFinite else {
            return nil
        }
        return Guess(
            label: best.label,
            score: best.score,
            scoring: predictor.description.scoring
        )
    }
}
