import Torch

/// Tensors under the names of another library, which keeps some of them in parts or leaves parts out.
enum TensorParts {
    /// Renames tensors, and splits those that have several names by their rows.
    ///
    /// - Parameters:
    ///   - tensors: The tensors by our keys; their parts share memory with them.
    ///   - names: The names of a key's parts; nil for a part that the library does not have.
    /// - Returns: The tensors.
    /// - Throws: ``CheckpointError`` for numbers other than 0 in a part that the library does not have; what `names` throws.
    static func renamed(
        _ tensors: [(name: String, tensor: Tensor)],
        _ names: (String) throws(CheckpointError) -> [String?]
    ) throws(CheckpointError) -> [(name: String, tensor: Tensor)] {
        var renamed: [(name: String, tensor: Tensor)] = []
        for (key, tensor) in tensors {
            let names = try names(key)
            if names.count == 1, let name = names[0] {
                renamed.append((name, tensor))
                continue
            }
            let rows = (tensor.shape.first ?? 0) / max(names.count, 1)
            for (part, name) in names.enumerated() {
                let range = (part * rows)..<((part + 1) * rows)
                let values = try tensor.part(rows: range, of: key)
                if let name {
                    renamed.append((name, values))
                } else {
                    try requireZeros(
                        values,
                        "rows \(range.lowerBound) to \(range.upperBound - 1)",
                        of: key
                    )
                }
            }
        }
        return renamed
    }

    private static func requireZeros(
        _ values: Tensor,
        _ rows: String,
        of key: String
    ) throws(CheckpointError) {
        do throws(TorchError) {
            // NaN is not 0 either.
            if try values.to(.float32).floats().allSatisfy({ $0 == 0 }) { return }
        } catch {
            throw CheckpointError.tensor(name: key, reason: "\(error)")
        }
        throw CheckpointError.tensor(
            name: key,
            reason:
                "\(rows) are not 0, and the format has no place for them: keys have no bias in it"
        )
    }
}
