public import Checkpoints
public import Datasets
public import ImagePipeline
public import Torch
public import TorchNN
public import VisionModels

/// A loaded model that is asked about images: classes with scores, the logits of its heads, or features.
///
/// Everything that only asks a model goes through this type, so that there is one place where images become a tensor and
/// one that chooses the type of products:
///
/// ```swift
/// import Inference
///
/// let predictor = try await Predictor(contentsOf: "deit_tiny")
/// for prediction in try await predictor.classify("cat.jpg", top: 5) {
///     print(prediction.label, prediction.score)
/// }
/// ```
///
/// It lives on `ModelActor`; other code calls it with `await`. Passes run without gradients, on the device and with the
/// kernels of `ComputePolicy/current`; images may come from any device, results stay on that of the model until they are
/// read.
@ModelActor
public final class Predictor {
    /// The model, with what belongs to it.
    public let loaded: LoadedModel

    /// The model's configuration, preprocessing and class names.
    public nonisolated let description: ModelDescription

    /// How passes through the model run.
    let pass: ForwardPass

    /// Whether images and filters have their channels innermost: convolutions of GPUs are faster so.
    private let isChannelsLast: Bool

    /// Takes over a loaded model, which is moved to the device of `ComputePolicy/current` and put into evaluation mode.
    ///
    /// - Parameters:
    ///   - loaded: The model; it needs a classifier only where classes are requested.
    ///   - dtype: The type of matrix products, `float32` or `bfloat16`; weights and results stay in `float32`.
    ///   - isPacked: Whether linear layers keep their weights only in the order in which oneDNN multiplies them, which
    ///     takes less memory. The model can then be asked, but neither trained nor saved.
    /// - Throws: `TorchError` for a lack of memory.
    public init(
        _ loaded: LoadedModel,
        dtype: DType = ComputePolicy.current.dtype,
        isPacked: Bool = false
    ) throws(TorchError) {
        self.loaded = loaded
        description = loaded.description
        pass = ForwardPass(dtype: dtype)
        loaded.model.eval()
        try loaded.model.to(pass.device)
        isChannelsLast = pass.device != .cpu && loaded.model is any ConvNet
        if isChannelsLast { try loaded.model.useChannelsLast() }
        if isPacked { try loaded.model.packForInference() }
    }

    /// Loads a model for inference, and selects a device and its fastest kernels for the whole process, as every command
    /// of `deit` does.
    ///
    /// - Parameters:
    ///   - path: A run, a model directory, or a file of bare weights (`.safetensors`, `.pth`, `.bin`).
    ///   - options: What the files do not say.
    ///   - dtype: The type of matrix products; nil takes `bfloat16` where the device multiplies it in hardware.
    ///   - device: Where the model runs; the first of CUDA, MPS and the CPU by default.
    /// - Throws: `CheckpointError` when the model cannot be loaded, `DeviceError` for a device that is not there,
    ///   `ConfigurationError` for an unknown `DEIT_COMPUTE`, `TorchError` for a lack of memory.
    public convenience init(
        contentsOf path: String,
        options: LoadOptions = LoadOptions(),
        dtype: DType? = .float32,
        device: DeviceChoice = .automatic
    ) throws {
        ComputePolicy.current = try .automatic(dtype: dtype, device: device.resolved())
        try self.init(ModelDirectory.load(path, options: options), isPacked: true)
    }

    // MARK: - Classes

    /// How many classes are returned where no number is given.
    public nonisolated static let usualCount = 5

    /// Classifies an image file.
    ///
    /// - Parameters:
    ///   - path: A JPEG, PNG or WebP file; its content decides.
    ///   - top: The number of classes to return, at least 1, all where the model has fewer; nil for the ``usualCount``, or of a model of several
    ///     labels an image all classes that reach their thresholds.
    /// - Returns: The classes, the highest score first; of a distilled model by the mean of its heads.
    /// - Throws: ``InferenceError/unreadableImage(file:reason:)``, ``InferenceError/noClassifier(path:)``, `TorchError`
    ///   when what the processor makes does not fit the model.
    public func classify(_ path: String, top: Int? = nil) async throws -> [ImagePrediction.Class] {
        try await classify(.file(path), top: top)
    }

    /// Classifies an image whose file is in memory.
    ///
    /// - Parameters:
    ///   - bytes: The bytes of a JPEG, PNG or WebP file.
    ///   - name: What to call the image in an error.
    ///   - top: The number of classes to return, at least 1; nil for the ``usualCount``, or of a model of several
    ///     labels an image all classes that reach their thresholds.
    /// - Returns: The classes, the highest score first.
    /// - Throws: As ``classify(_:top:)-(String,_)``.
    public func classify(
        encoded bytes: [UInt8],
        named name: String = "the image",
        top: Int? = nil
    ) async throws -> [ImagePrediction.Class] {
        try await classify(.bytes(bytes, name: name), top: top)
    }

    /// Classifies a decoded image.
    ///
    /// - Parameters:
    ///   - image: The image, upright.
    ///   - top: The number of classes to return, at least 1; nil for the ``usualCount``, or of a model of several
    ///     labels an image all classes that reach their thresholds.
    /// - Returns: The classes, the highest score first.
    /// - Throws: ``InferenceError/noClassifier(path:)``, `ImageError` when the image cannot be resized, `TorchError`
    ///   when what the processor makes does not fit the model.
    public func classify(_ image: Image, top: Int? = nil) throws -> [ImagePrediction.Class] {
        try requireClassifier()
        return best(try logits(of: image).averaged().floats()[...], top: top)
    }

    /// Classifies the images of a batch.
    ///
    /// - Parameters:
    ///   - batch: Images that the model's processor made.
    ///   - top: The number of classes to return for each, at least 1; nil for the ``usualCount``, or of a model of several
    ///     labels an image all classes that reach their thresholds.
    /// - Returns: For each image the classes, the highest score first.
    /// - Throws: ``InferenceError/noClassifier(path:)``, `TorchError` when the images do not fit the model.
    public func classify(_ batch: ImageBatch, top: Int? = nil) throws -> [[ImagePrediction.Class]] {
        try requireClassifier()
        guard batch.count > 0 else { return [] }
        let classes = loaded.model.numClasses
        let scores = try logits(of: batch).averaged().floats()
        return (0..<batch.count).map { row in
            best(scores[(row * classes)..<((row + 1) * classes)], top: top)
        }
    }

    /// Classifies images one after the other and delivers each result.
    ///
    /// Images are decoded ahead while the model computes; no more than some batches are held at a time.
    ///
    /// - Parameters:
    ///   - images: The images.
    ///   - top: The number of classes to return for each, at least 1, all where the model has fewer; nil for the ``usualCount``, or of a model of several
    ///     labels an image all classes that reach their thresholds.
    ///   - workers: How many batches are decoded at the same time, at least 1.
    ///   - deliver: Called for each image in the list's order.
    /// - Throws: ``InferenceError/noClassifier(path:)``, `TorchError` when what the processor makes does not fit the
    ///   model, and what `deliver` throws. An image that cannot be used is a result of its own.
    public func classify(
        _ images: ImageFileList,
        top: Int? = nil,
        workers: Int = 2,
        deliver: (ImageResult) throws -> Void
    ) async throws {
        try requireClassifier()
        try await images.classified(
            through: description.processor,
            workers: workers,
            by: { batch in
                let rows = try classify(batch, top: top)
                return batch.indices.indices.map { row in
                    ImagePrediction(
                        file: images.name(at: batch.indices[row]),
                        predictions: rows[row],
                        scoring: description.scoring
                    )
                }
            },
            deliver: deliver
        )
    }

    /// Classifies images and returns all results.
    ///
    /// - Parameters:
    ///   - images: The images.
    ///   - top: The number of classes to return for each, at least 1; nil for the ``usualCount``, or of a model of several
    ///     labels an image all classes that reach their thresholds.
    ///   - workers: How many batches are decoded at the same time, at least 1.
    /// - Returns: A result for each image, in the list's order.
    /// - Throws: ``InferenceError/noClassifier(path:)``, `TorchError` when what the processor makes does not fit the
    ///   model. An image that cannot be used is a result of its own.
    public func classify(
        _ images: ImageFileList,
        top: Int? = nil,
        workers: Int = 2
    ) async throws -> [ImageResult] {
        var results: [ImageResult] = []
        try await classify(images, top: top, workers: workers) { results.append($0) }
        return results
    }

    private func classify(
        _ source: ImageFileList.Source,
        top: Int?
    ) async throws -> [ImagePrediction.Class] {
        switch try await classify(ImageFileList([source]), top: top, workers: 1).first {
        case .prediction(let prediction): return prediction.predictions
        case .failure(let file, let reason):
            throw InferenceError.unreadableImage(file: file, reason: reason)
        case nil: return []
        }
    }

    // MARK: - Logits and features

    /// Returns the scores of each head before any softmax, in 32 bits.
    ///
    /// - Parameter pixels: `[images, channels, height, width]`, normalised, on any device.
    /// - Returns: The scores, `[images, classes]`; of a transformer without classes its token, `[images, embedDim]`.
    /// - Throws: `TorchError` when the images do not fit the model.
    public func logits(_ pixels: Tensor) throws(TorchError) -> ClassifierLogits {
        let model = loaded.model
        var pixels = try pixels.to(pass.device)
        if isChannelsLast { pixels = try pixels.channelsLast() }
        return try pass { () throws(TorchError) in try model.logits(pixels) }.single()
    }

    /// Returns the scores of each head for a batch.
    ///
    /// - Parameter batch: Images that the model's processor made.
    /// - Returns: As ``logits(_:)``.
    /// - Throws: `TorchError` when the images do not fit the model.
    public func logits(of batch: ImageBatch) throws(TorchError) -> ClassifierLogits {
        try logits(batch.tensor(on: pass.device))
    }

    /// Returns the scores of each head for a decoded image.
    ///
    /// - Parameter image: The image, upright.
    /// - Returns: As ``logits(_:)``, of one image.
    /// - Throws: `ImageError` when the image cannot be resized, `TorchError` when it does not fit the model.
    public func logits(of image: Image) throws -> ClassifierLogits {
        try logits(pixels(of: image))
    }

    /// Returns the features of a decoded image; for many images see ``FeatureExtractor``.
    ///
    /// - Parameters:
    ///   - image: The image, upright.
    ///   - request: What is wanted.
    /// - Returns: For each token of the request its numbers.
    /// - Throws: ``InferenceError/noSuchFeature(_:)``, `ImageError`, `TorchError`.
    public func features(
        of image: Image,
        _ request: FeatureRequest = FeatureRequest()
    ) throws -> [[Float]] {
        try FeatureExtractor(self, request)(pixels(of: image))
    }

    /// Returns the model's input for a decoded image.
    ///
    /// - Parameter image: The image, upright.
    /// - Returns: `[1, channels, height, width]`, normalised.
    /// - Throws: `ImageError` when the image cannot be resized, `TorchError` for a lack of memory.
    public func pixels(of image: Image) throws -> Tensor {
        let processor = description.processor
        let (values, height, width) = try processor(image)
        return try Tensor(values, shape: [1, processor.channels, height, width])
    }

    private func requireClassifier() throws(InferenceError) {
        guard loaded.model.numClasses > 0 else { throw .noClassifier(path: loaded.weightsPath) }
    }

    /// The classes with the highest scores, or those that reach their thresholds.
    private func best(_ logits: ArraySlice<Float>, top: Int?) -> [ImagePrediction.Class] {
        let thresholds = description.isMultiLabel ? description.effectiveThresholds : nil
        let scores = description.scoring.scores(of: logits)
        // Equal scores keep the order of the classes; one that is not a number comes last.
        let order = scores.indices.sorted { first, second in
            let (a, b) = (scores[first], scores[second])
            if a.isNaN || b.isNaN { return !a.isNaN || (b.isNaN && first < second) }
            return a > b || (a == b && first < second)
        }
        let chosen =
            if top == nil, let thresholds {
                order.filter { scores[$0] >= thresholds[$0] }
            } else {
                Array(order.prefix(max(1, top ?? Self.usualCount)))
            }
        return chosen.map {
            .init(
                label: description.labels.names[$0],
                index: $0,
                score: scores[$0],
                threshold: thresholds?[$0]
            )
        }
    }
}

/// A pass through a network: without gradients, its matrix products in one type.
package struct ForwardPass: Sendable {
    /// The type of matrix products, `float32`, `bfloat16` or `float16`.
    let dtype: DType

    /// Where the network is.
    let device: Device

    /// Chooses the type of matrix products; the device is that of the current policy.
    package init(dtype: DType) {
        self.dtype = dtype
        device = ComputePolicy.current.device
    }

    /// Runs a pass.
    package func callAsFunction<R>(_ body: () throws(TorchError) -> R) throws(TorchError) -> R {
        let autocast = dtype == .float32 ? nil : dtype
        return try withoutGradient { () throws(TorchError) in
            try withAutocast(autocast, device: device, body)
        }
    }
}
