import Checkpoints
import Storage
import Torch

/// Texts as a tensor of bytes: among the tensors there is room for any number, which a header's metadata has not.
enum StoredTexts {
    /// Texts as the UTF-8 of a JSON array.
    static func tensor(_ texts: [String]) throws -> Tensor {
        let bytes = Array(
            JSONValue.array(texts.map(JSONValue.string)).text(isIndented: false).utf8
        )
        return try bytes.withUnsafeBytes {
            try Tensor(bytes: $0, dtype: .uint8, shape: [bytes.count])
        }
    }

    /// The texts of such a tensor.
    static func texts(_ tensor: Tensor) throws -> [String] {
        try JSONValue.parse(tensor.withBytes { Array($0) }).arrayValue?.compactMap(\.stringValue)
            ?? []
    }

    /// The texts that a file holds under a name; none where it has no such tensor, as files of earlier versions.
    ///
    /// - Throws: `CheckpointError` where it is not of bytes, or has another number of texts.
    static func optional(
        _ name: String,
        of file: SafetensorsFile,
        count: Int
    ) throws -> [String] {
        guard let entry = file.tensors.first(where: { $0.name == name }) else { return [] }
        guard entry.dtype == SafetensorsDType(.uint8), entry.shape.count == 1 else {
            throw CheckpointError.malformed(file: file.path, reason: "its \(name) are not strings")
        }
        let texts = try texts(file.read(entry))
        guard texts.count == count else {
            throw CheckpointError.malformed(
                file: file.path,
                reason: "it has \(texts.count) \(name) for \(count) images"
            )
        }
        return texts
    }
}
