public import ImagePipeline
public import Storage
public import VisionModels

/// Everything about a model but its weights.
///
/// Its configuration, its preprocessing and its class names: a model never travels
/// without it.
public struct ModelDescription: Sendable, Equatable {
    /// What the network is made from.
    public var configuration: ModelConfiguration

    /// The way from an image to the model's input.
    public var processor: ImageProcessor

    /// The names of the classes.
    public var labels: ClassLabels

    /// What the classifier was trained on; nil where the checkpoint does not say, which means one class for an image.
    public var problemType: ProblemType?

    /// Of a model of several labels an image: the probability from which each class counts as recognised, above 0 and up to
    /// 1, in the order of the classes; nil for ``usualThreshold``.
    public var thresholds: [Double]?

    /// The name of the preset that it was made from, where it has one.
    public var name: String?

    /// The `config.json` that the model was read from, whose unknown keys are written back; else empty.
    public var originalConfiguration: JSONObject

    /// The `preprocessor_config.json` that the model was read from; else empty.
    public var originalProcessor: JSONObject

    /// Creates a description.
    ///
    /// - Parameters:
    ///   - configuration: What the network is made from.
    ///   - processor: The way from an image to the model's input.
    ///   - labels: The names of the classes, as many as the model has.
    ///   - problemType: What the classifier was trained on.
    ///   - thresholds: The probability from which each class counts as recognised.
    ///   - name: The name of the preset.
    ///   - originalConfiguration: The `config.json` that the model was read from.
    ///   - originalProcessor: The `preprocessor_config.json` that the model was read from.
    public init(
        configuration: ModelConfiguration,
        processor: ImageProcessor,
        labels: ClassLabels,
        problemType: ProblemType? = nil,
        thresholds: [Double]? = nil,
        name: String? = nil,
        originalConfiguration: JSONObject = [:],
        originalProcessor: JSONObject = [:]
    ) {
        self.configuration = configuration
        self.processor = processor
        self.labels = labels
        self.problemType = problemType
        self.thresholds = thresholds
        self.name = name
        self.originalConfiguration = originalConfiguration
        self.originalProcessor = originalProcessor
    }

    /// The names of the classes.
    public var classNames: [String] { labels.names }

    /// The probability from which a class counts as recognised where the model does not say.
    public static let usualThreshold = 0.5

    /// Whether an image may have several classes, or none.
    public var isMultiLabel: Bool { problemType == .multiLabelClassification }

    /// The probability from which each class counts as recognised, of a model of several labels an image.
    public var effectiveThresholds: [Double] {
        thresholds ?? Array(repeating: Self.usualThreshold, count: configuration.numClasses)
    }

    /// How the classifier's outputs become scores.
    public var scoring: ClassScoring {
        ClassScoring(problemType, classes: configuration.numClasses)
    }
}
