import Checkpoints
public import Datasets
public import Torch
import VisionModels

/// Reads a model's inner states for images: features for search, neighbours, clustering and linear probes.
///
/// A transformer's are the tokens of its last blocks after the last normalisation, a convolutional network's the mean of its
/// last maps. The model needs no classifier.
///
/// ## Source
/// Caron et al., `dino/vision_transformer.py, get_intermediate_layers`; `timm/models/vision_transformer.py,
/// get_intermediate_layers(norm=True)`.
public struct FeatureExtractor {
    /// What is extracted, with the usual token filled in.
    public let request: FeatureRequest

    /// The arrays that come out, in the order of the request.
    public let columns: [FeatureColumn]

    private let model: any ImageClassifier
    private let pass: ForwardPass

    /// Creates an extractor.
    ///
    /// - Parameters:
    ///   - predictor: The model, and how it computes.
    ///   - request: What is wanted of it.
    /// - Throws: ``InferenceError/noSuchFeature(_:)`` when the model does not have it.
    @ModelActor
    public init(_ predictor: Predictor, _ request: FeatureRequest) throws(InferenceError) {
        let configuration = predictor.description.configuration
        var request = request
        if let twice = request.tokens.first(where: { token in
            request.tokens.count { $0 == token } > 1
        }) {
            throw .noSuchFeature("the token \(twice.rawValue) is given twice")
        }
        if let configuration = configuration.transformer {
            if request.tokens.isEmpty { request.tokens = [configuration.classToken ? .cls : .mean] }
            guard configuration.classToken || !request.tokens.contains(.cls) else {
                throw .noSuchFeature("the model has no class token; choose patch or mean")
            }
            guard (1...configuration.depth).contains(request.blocks) else {
                throw .noSuchFeature(
                    "the model has \(configuration.depth) blocks, fewer than the requested \(request.blocks)"
                )
            }
            guard configuration.isDistilled || !request.tokens.contains(.dist) else {
                throw .noSuchFeature(
                    "the model has no distillation token; choose cls, patch or mean"
                )
            }
            let length = configuration.embedDim * request.blocks
            columns = request.tokens.map {
                FeatureColumn(
                    token: $0,
                    vectors: $0 == .patch ? configuration.patchCount : 1,
                    length: length
                )
            }
        } else {
            if request.tokens.isEmpty { request.tokens = [.mean] }
            guard request.tokens == [.mean], request.blocks == 1 else {
                throw .noSuchFeature(
                    "a convolutional network has no tokens or blocks; its features are the mean of its last feature maps (mean)"
                )
            }
            let length = configuration.convNet?.numFeatures ?? 0
            columns = [FeatureColumn(token: .mean, vectors: 1, length: length)]
        }
        self.request = request
        model = predictor.loaded.model
        pass = predictor.pass
    }

    /// Returns the features of images.
    ///
    /// - Parameter images: `[images, channels, height, width]`, normalised, on any device.
    /// - Returns: For each column its numbers, row-major in the shape that the column tells.
    /// - Throws: `TorchError` when the images do not fit the model.
    public func callAsFunction(_ images: Tensor) throws(TorchError) -> [[Float]] {
        let images = try images.to(pass.device)
        var arrays: [[Float]] = []
        for output in try pass({ () throws(TorchError) in try tensors(images) }) {
            arrays.append(try output.floats())
        }
        guard request.isNormalized else { return arrays }
        return arrays.indices.map { scaled(arrays[$0], length: columns[$0].length) }
    }

    /// Returns the features of the images of a batch.
    ///
    /// - Parameter batch: Images that the model's processor made.
    /// - Returns: For each column its numbers, row-major in the shape that the column tells.
    /// - Throws: `TorchError` when the images do not fit the model.
    public func callAsFunction(_ batch: ImageBatch) throws(TorchError) -> [[Float]] {
        try self(batch.tensor(on: pass.device))
    }

    /// Returns the features of the images of a batch, the columns of each image one behind the other.
    func vectors(of batch: ImageBatch) throws(TorchError) -> [Float] {
        let arrays = try self(batch)
        var values: [Float] = []
        for row in batch.indices.indices {
            for (column, array) in zip(columns, arrays) {
                values += array[(row * column.count)..<((row + 1) * column.count)]
            }
        }
        return values
    }

    /// Extracts the features of all images of a loader into a file.
    ///
    /// - Parameters:
    ///   - loader: The images, transformed by the model's processor.
    ///   - file: The file, which is finished by the caller.
    ///   - progress: Called after each batch with the number of images done.
    /// - Throws: `DatasetError` when the data cannot be read, `TorchError` when images do not fit the model,
    ///   `CheckpointError` when the file cannot be written.
    @ModelActor
    public func extract(
        _ loader: DataLoader,
        into file: FeatureFile,
        progress: (Int) -> Void = { _ in }
    ) async throws {
        var batches = loader.batches().makeAsyncIterator()
        while let batch = try await batches.next(isolation: #isolation) {
            let arrays = try self(batch)
            let names = batch.indices.map { loader.dataset.name(at: $0) }
            try file.append(arrays, names: names, labels: batch.labels)
            progress(file.count)
        }
    }

    /// The columns as tensors.
    private func tensors(_ images: Tensor) throws(TorchError) -> [Tensor] {
        if let network = model as? any ConvNet {
            return [try network.pooled(network.forwardFeatures(images))]
        }
        guard let transformer = model as? VisionTransformer else { return [] }
        let layers = try transformer.outputs(
            images,
            OutputRequest(lastBlocks: request.blocks)
        ).blockTokens
        let prefix = transformer.prefixTokenCount
        var tensors: [Tensor] = []
        for token in request.tokens {
            var parts: [Tensor] = []
            for layer in layers {
                parts.append(try token.part(of: layer, prefix: prefix))
            }
            tensors.append(try parts.count == 1 ? parts[0] : Tensor.cat(parts, dim: -1))
        }
        return tensors
    }

    /// The vectors scaled to length 1, as torch's `F.normalize` does.
    private func scaled(_ values: [Float], length: Int) -> [Float] {
        var values = values
        for start in stride(from: 0, to: values.count, by: length) {
            let range = start..<min(start + length, values.count)
            let square = values[range].reduce(0.0) { $0 + Double($1) * Double($1) }
            let norm = max(square.squareRoot(), 1e-12)
            for i in range { values[i] = Float(Double(values[i]) / norm) }
        }
        return values
    }
}

extension FeatureRequest.Token {
    /// The part of normalised tokens `[images, tokens, embedDim]`.
    fileprivate func part(of tokens: Tensor, prefix: Int) throws(TorchError) -> Tensor {
        switch self {
        case .cls: return try tokens.selected(1, 0)
        case .dist: return try tokens.selected(1, 1)
        case .patch: return try tokens.narrowed(1, prefix..<tokens.shape[1])
        case .mean: return try tokens.narrowed(1, prefix..<tokens.shape[1]).mean([1])
        }
    }
}
