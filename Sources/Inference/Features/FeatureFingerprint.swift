import Checkpoints
public import Datasets
import Digests
import Foundation
import ImagePipeline
import Torch
import TorchNN

/// What features depend on, in few characters: the weights, the pre-processing, what was requested; and the images.
public enum FeatureFingerprint {
    /// The fingerprint of a model and of what is requested of it.
    ///
    /// - Parameters:
    ///   - predictor: The model, not packed: all its tensors count, whatever file they are from, and its processor.
    ///   - request: The tokens.
    /// - Returns: A SHA-256 in hexadecimal digits.
    /// - Throws: `TorchError` when a tensor cannot be read, `DigestError` where the system computes no SHA-256.
    @ModelActor
    public static func model(
        _ predictor: Predictor,
        _ request: FeatureRequest
    ) throws -> String {
        var digest = try Digest(.sha256)
        for (name, tensor) in predictor.loaded.model.namedTensors() {
            digest.update("\(name) \(tensor.dtype) \(tensor.shape)\n".utf8)
            try tensor.withBytes { digest.update($0) }
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        digest.update(try encoder.encode(predictor.description.processor))
        let tokens = request.tokens.map(\.rawValue).joined(separator: ",")
        let rest = [
            "tokens \(tokens)", "blocks \(request.blocks)", "normalized \(request.isNormalized)",
            "dtype \(predictor.pass.dtype)",
        ]
        digest.update(rest.joined(separator: "\n").utf8)
        return try digest.finish()
    }

    /// The fingerprint of images: their number, order, labels and names below the data's folder, and their classes.
    ///
    /// The bytes of images are not read.
    ///
    /// - Parameters:
    ///   - dataset: The images.
    ///   - folder: The folder that they lie in, whose own name does not count.
    /// - Returns: A SHA-256 in hexadecimal digits.
    /// - Throws: `DigestError` where the system computes none.
    public static func data(_ dataset: any ImageDataset, in folder: String) throws -> String {
        var digest = try Digest(.sha256)
        let prefix = folder.hasSuffix("/") ? folder : "\(folder)/"
        for name in dataset.classNames { digest.update("\(name)\n".utf8) }
        for index in 0..<dataset.count {
            let name = dataset.name(at: index)
            let rest = name.hasPrefix(prefix) ? name.dropFirst(prefix.count) : name[...]
            digest.update("\(dataset.label(at: index)) \(rest)\n".utf8)
        }
        return try digest.finish()
    }
}
