public import VisionModels

/// What may differ between a checkpoint and the model that is made from it, and what the file cannot say.
public struct LoadOptions: Sendable, Equatable {
    /// Deviations that are allowed; without one, loading is strict.
    public struct Relaxations: OptionSet, Sendable {
        /// The bits.
        public let rawValue: Int

        /// Creates a set.
        ///
        /// - Parameter rawValue: The bits.
        public init(rawValue: Int) { self.rawValue = rawValue }

        /// The classifier may be absent or of other classes; the model then gets a fresh one.
        public static let replaceHead = Relaxations(rawValue: 1)

        /// The file may have no classifier; the model then has none either, and gives features.
        public static let noHead = Relaxations(rawValue: 2)

        /// The model gets no classifier, whether the file has one or not.
        public static let dropHead = Relaxations(rawValue: 4)
    }

    /// The height and width of images, in pixels.
    public struct ImageSize: Sendable, Equatable {
        /// The height, in pixels.
        public var height: Int

        /// The width, in pixels.
        public var width: Int

        /// Creates a size.
        ///
        /// - Parameters:
        ///   - height: The height, in pixels.
        ///   - width: The width, in pixels.
        public init(height: Int, width: Int) {
            self.height = height
            self.width = width
        }
    }

    /// The deviations that are allowed; those that happened are listed in ``LoadReport``.
    public var relaxations: Relaxations

    /// The classes that the model is to have, instead of those that the file names.
    public var labels: ClassLabels?

    /// The preset of a bare weights file, which otherwise is deduced from the shapes of its tensors; an error
    /// for a directory, whose config.json tells it.
    public var preset: String?

    /// The images that the model is to take, instead of those that the checkpoint was made for.
    ///
    /// A bare file whose grid of patches is no square needs it to be understood.
    public var imageSize: ImageSize?

    /// How position embeddings are resampled to another grid where ``imageSize`` asks for one; nil makes that an error.
    public var positionResampling: PositionEmbeddingResampling?

    /// Which of several nested dictionaries of a PyTorch file is taken, such as `model_ema`; nil takes the plain one.
    public var stateDict: String?

    /// A file with the linear classifier of a backbone, as facebookresearch/dinov2 publishes them: `weight`,
    /// `[classes, (1 + blocks) · embedDim]`, and `bias`; nil takes the checkpoint as it is.
    ///
    /// The model then takes images of 224 pixels unless ``imageSize`` says otherwise, as these classifiers were trained.
    public var linearHead: String?

    /// What is to be done otherwise to images than the checkpoint says.
    public var images: ImageOverrides

    /// Whether the positions stay as they are stored where the checkpoint's images have another size: for writing the
    /// checkpoint again, not for running it.
    var keepsStoredGrid = false

    /// Creates options.
    ///
    /// - Parameters:
    ///   - relaxations: The deviations that are allowed.
    ///   - labels: The classes that the model is to have.
    ///   - preset: The preset of a bare weights file.
    ///   - imageSize: The images that the model is to take.
    ///   - positionResampling: How position embeddings are resampled to another grid.
    ///   - stateDict: Which of several nested dictionaries of a PyTorch file is taken.
    ///   - linearHead: A file with the linear classifier of a backbone.
    ///   - images: What is to be done otherwise to images than the checkpoint says.
    public init(
        relaxations: Relaxations = [],
        labels: ClassLabels? = nil,
        preset: String? = nil,
        imageSize: ImageSize? = nil,
        positionResampling: PositionEmbeddingResampling? = nil,
        stateDict: String? = nil,
        linearHead: String? = nil,
        images: ImageOverrides = ImageOverrides()
    ) {
        self.relaxations = relaxations
        self.labels = labels
        self.preset = preset
        self.imageSize = imageSize
        self.positionResampling = positionResampling
        self.stateDict = stateDict
        self.linearHead = linearHead
        self.images = images
    }
}
