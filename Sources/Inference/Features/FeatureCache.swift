import Checkpoints
import Storage
import Torch

/// A file with the features of both parts of a data set, to measure them again without the images.
///
/// A `.safetensors` file: `train` and `val` of `[images, width]`, their `.labels` and `.digests`; its metadata hold the
/// classes and the fingerprints of the model and the images, and features of others are refused.
public enum FeatureCache {
    /// What features in a file must be from to be used.
    public struct Origin: Sendable, Equatable {
        /// ``FeatureFingerprint/model(_:_:)``.
        public let model: String

        /// ``FeatureFingerprint/data(_:in:)`` of the training part.
        public let train: String

        /// ``FeatureFingerprint/data(_:in:)`` of the validation part.
        public let validation: String

        /// Creates an origin.
        ///
        /// - Parameters:
        ///   - model: The fingerprint of the model.
        ///   - train: The fingerprint of the training part.
        ///   - validation: The fingerprint of the validation part.
        public init(model: String, train: String, validation: String) {
            self.model = model
            self.train = train
            self.validation = validation
        }
    }

    /// Writes features, aside and then under the file's name.
    ///
    /// - Parameters:
    ///   - train: The features of the training part.
    ///   - validation: Those of the validation part.
    ///   - origin: What they are from.
    ///   - path: The file.
    /// - Throws: `CheckpointError` when it cannot be written, `TorchError` without memory.
    public static func write(
        train: LabelledFeatures,
        validation: LabelledFeatures,
        _ origin: Origin,
        to path: String
    ) throws {
        var tensors: [(name: String, tensor: Tensor)] = []
        for (name, part) in [("train", train), ("val", validation)] {
            let shape = [part.count, part.width]
            tensors.append((name, try Tensor(part.values, shape: shape)))
            let labels = try Tensor(part.labels.map(Int64.init), shape: [part.count])
            tensors.append(("\(name).labels", labels))
            if !part.digests.isEmpty {
                tensors.append(("\(name).digests", try StoredTexts.tensor(part.digests)))
            }
        }
        let metadata = [
            "format": "pt", "model_sha256": origin.model, "train_sha256": origin.train,
            "val_sha256": origin.validation, "train_classes": list(train.classNames),
            "val_classes": list(validation.classNames),
        ]
        try Safetensors.write(tensors, metadata: metadata, to: path)
    }

    /// Reads features.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - origin: What the features must be from.
    /// - Returns: The features of both parts, without names of images.
    /// - Throws: `CheckpointError` when the file is damaged, no such file, or of another model or other images.
    public static func read(
        _ path: String,
        _ origin: Origin
    ) throws -> (train: LabelledFeatures, validation: LabelledFeatures) {
        let file = try SafetensorsFile(path: path)
        let facts = file.metadata
        guard let model = facts["model_sha256"], let train = facts["train_sha256"],
            let validation = facts["val_sha256"]
        else {
            throw CheckpointError.unsupported(
                file: path,
                reason: "it does not record the model and data of its features; "
                    + "use a file written by `deit evaluate --save-features`"
            )
        }
        guard model == origin.model else {
            throw CheckpointError.unsupported(
                file: path,
                reason:
                    "its features were computed with another model, or other tokens, blocks, sizes or types; "
                    + "leave out --features, or write them anew with --save-features"
            )
        }
        guard train == origin.train, validation == origin.validation else {
            throw CheckpointError.unsupported(
                file: path,
                reason: "its features were computed from other images; "
                    + "leave out --features, or write them anew with --save-features"
            )
        }
        return (try part("train", of: file), try part("val", of: file))
    }

    /// One part, checked; also of a file without origin.
    static func part(
        _ name: String,
        of file: SafetensorsFile
    ) throws -> LabelledFeatures {
        func damaged(_ reason: String) -> CheckpointError {
            .malformed(file: file.path, reason: reason)
        }
        func find(_ name: String) throws(CheckpointError) -> ArchivedTensor {
            guard let tensor = file.tensors.first(where: { $0.name == name }) else {
                throw damaged("it has no tensor \(name)")
            }
            return tensor
        }
        let (vectors, labels) = (try find(name), try find("\(name).labels"))
        guard vectors.dtype == .float32, vectors.shape.count == 2, labels.dtype == .int64,
            labels.shape == [vectors.shape[0]]
        else { throw damaged("\(name) and \(name).labels have different lengths") }
        guard let classNames = try names(file.metadata["\(name)_classes"], file.path) else {
            throw damaged("it does not name its classes")
        }
        let values = try file.read(labels).int64s()
        guard values.allSatisfy({ (0..<Int64(classNames.count)).contains($0) }) else {
            throw damaged("a label is outside of the \(classNames.count) classes")
        }
        return LabelledFeatures(
            values: try file.read(vectors).floats(),
            width: vectors.shape[1],
            labels: values.map { Int($0) },
            digests: try StoredTexts.optional("\(name).digests", of: file, count: values.count),
            classNames: classNames
        )
    }

    private static func list(_ names: [String]) -> String {
        JSONValue.array(names.map(JSONValue.string)).text(isIndented: false)
    }

    private static func names(_ text: String?, _ path: String) throws -> [String]? {
        guard let text else { return nil }
        return try JSONValue.parse(Array(text.utf8)).arrayValue?.compactMap(\.stringValue)
    }
}
