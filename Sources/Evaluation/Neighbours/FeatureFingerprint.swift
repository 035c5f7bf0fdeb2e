public import Checkpoints
import Crypto
public import Datasets
import Foundation
public import ImagePipeline
import Torch
import TorchNN

/// What features depend on, in few characters: the weights, the pre-processing, what was asked for; and the pictures.
public enum FeatureFingerprint {
    /// The fingerprint of a model and what it is asked for.
    ///
    /// - Parameters:
    ///   - loaded: The model: all its tensors count, whatever file they are from.
    ///   - processor: The way from a picture to the model's input.
    ///   - decoding: How pictures are decoded.
    ///   - request: The tokens.
    /// - Returns: A SHA-256 in hexadecimal digits.
    /// - Throws: `TorchError` when a tensor cannot be read.
    public static func model(
        _ loaded: LoadedModel,
        _ processor: ImageProcessor,
        _ decoding: DecodingOptions,
        _ request: FeatureRequest
    ) throws -> String {
        var hash = SHA256()
        for (name, tensor) in loaded.model.namedTensors() {
            hash.update(data: Array("\(name) \(tensor.dtype) \(tensor.shape)\n".utf8))
            try tensor.withBytes { hash.update(bufferPointer: $0) }
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        hash.update(data: try encoder.encode(processor))
        let tokens = request.tokens.map(\.rawValue).joined(separator: ",")
        let rest = [
            "tokens \(tokens)", "blocks \(request.blocks)", "normalized \(request.isNormalized)",
            "dtype \(ComputePolicy.current.dtype)",
            "orientation \(decoding.appliesOrientation)",
        ]
        hash.update(data: Array(rest.joined(separator: "\n").utf8))
        return text(hash.finalize())
    }

    /// The fingerprint of pictures: their number, order, labels and names below the data's folder, and their classes.
    ///
    /// The bytes of pictures are not read.
    ///
    /// - Parameters:
    ///   - dataset: The pictures.
    ///   - folder: The folder that they lie in, whose own name does not count.
    /// - Returns: A SHA-256 in hexadecimal digits.
    public static func data(_ dataset: any ImageDataset, in folder: String) -> String {
        var hash = SHA256()
        let prefix = folder.hasSuffix("/") ? folder : "\(folder)/"
        for name in dataset.classNames { hash.update(data: Array("\(name)\n".utf8)) }
        for index in 0..<dataset.count {
            let name = dataset.name(at: index)
            let rest = name.hasPrefix(prefix) ? name.dropFirst(prefix.count) : name[...]
            hash.update(data: Array("\(dataset.label(at: index)) \(rest)\n".utf8))
        }
        return text(hash.finalize())
    }

    private static func text(_ digest: SHA256.Digest) -> String {
        digest.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count < 2 ? "0\(digits)" : digits
        }
        .joined()
    }
}
