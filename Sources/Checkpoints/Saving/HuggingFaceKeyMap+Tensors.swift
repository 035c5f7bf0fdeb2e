public import Torch
import TorchNN
public import VisionModels

extension HuggingFaceKeyMap {
    /// A network's tensors under the names that they have in a Hugging Face file; queries, keys and values apart.
    ///
    /// - Parameters:
    ///   - model: The network, whose memory the tensors share.
    ///   - extras: More tensors, by Hugging Face's names without `vit.` or `deit.`; those of the transformer itself
    ///     (`pooler.…`, `embeddings.…`) get the architecture's prefix.
    /// - Returns: All tensors with their names.
    /// - Throws: ``CheckpointError`` for a tensor that the architecture has no name for.
    public func tensors(
        of model: any ImageClassifier,
        extras: [(name: String, tensor: Tensor)] = []
    ) throws(CheckpointError) -> [(name: String, tensor: Tensor)] {
        var renamed: [(name: String, tensor: Tensor)] = []
        for (key, tensor) in model.namedTensors() {
            let names = huggingFaceKeys(of: key)
            guard names.count == 1 || names.count == 3 else {
                throw CheckpointError.tensor(
                    name: key,
                    reason: "has no name in Hugging Face's \(architecture.rawValue)"
                )
            }
            guard names.count == 3 else {
                renamed.append((names[0], tensor))
                continue
            }
            let rows = (tensor.shape.first ?? 0) / 3
            for (third, name) in names.enumerated() {
                let range = (third * rows)..<((third + 1) * rows)
                renamed.append((name, try tensor.part(rows: range, of: key)))
            }
        }
        var known = Set(renamed.map(\.name))
        for (name, tensor) in extras {
            let isBase = name.hasPrefix("pooler.") || name.hasPrefix("embeddings.")
            let full = isBase ? architecture.prefix + name : name
            guard known.insert(full).inserted else {
                throw CheckpointError.tensor(name: full, reason: "is there twice")
            }
            renamed.append((full, tensor))
        }
        return renamed
    }
}
