public import Storage
public import Torch

/// Weights in several files under one index, as Hugging Face splits large models.
///
/// The index (`model.safetensors.index.json` or `pytorch_model.bin.index.json`) tells the file of every
/// tensor. An archive that exists is one whose index and files agree.
///
/// ## Source
/// huggingface_hub 1.x, `serialization/_base.py`; transformers 5.23, `modeling_utils.py`.
public final class ShardedArchive: Sendable {
    /// The path of the index.
    public let path: String

    /// The tensors, by file in the order of the files' names.
    public let tensors: [ArchivedTensor]

    /// The texts under the index's `metadata`, and those of the first file.
    public let metadata: [String: String]

    /// The files with a part of the tensors, in the order of their names.
    public let files: [String]

    private let shards: [any TensorArchive]
    private let places: [String: Int]

    /// Opens an index and all of its files.
    ///
    /// - Parameter path: The index.
    /// - Throws: ``CheckpointError`` when a file is missing or damaged, is outside the index's
    ///   folder, lacks a tensor that the index promises, or has one that the index gives to another.
    public init(path: String) throws(CheckpointError) {
        self.path = path
        let index = try CheckpointError.of(try ShardIndex(path: path))
        files = index.files
        var shards: [any TensorArchive] = []
        var tensors: [ArchivedTensor] = []
        var places: [String: Int] = [:]
        for (place, file) in index.files.enumerated() {
            let shard = try WeightsArchive.openShard("\(folder(of: path))/\(file)")
            for tensor in shard.tensors {
                guard index.file(of: tensor.name) == place else {
                    throw CheckpointError.malformed(
                        file: path,
                        reason: "\(file) has the tensor \(tensor.name), which the index does not "
                            + "list for it"
                    )
                }
                places[tensor.name] = place
            }
            shards.append(shard)
            tensors += shard.tensors
        }
        if let absent = index.names.first(where: { places[$0] == nil }) {
            throw CheckpointError.malformed(
                file: path,
                reason: "tensor \(absent) is not in the file that the index names"
            )
        }
        metadata = (shards.first?.metadata ?? [:]).merging(index.metadata) { $1 }
        (self.shards, self.tensors, self.places) = (shards, tensors, places)
    }
}

extension ShardedArchive: TensorArchive {
    /// Reads a tensor; see ``TensorArchive/read(_:)``.
    public func read(_ tensor: ArchivedTensor) throws(CheckpointError) -> Tensor {
        try shard(of: tensor).read(tensor)
    }

    /// Reads a tensor into one that exists; see ``TensorArchive/copy(_:into:)``.
    public func copy(
        _ tensor: ArchivedTensor,
        into target: Tensor
    ) throws(CheckpointError) {
        try shard(of: tensor).copy(tensor, into: target)
    }

    private func shard(of tensor: ArchivedTensor) throws(CheckpointError) -> any TensorArchive {
        guard let place = places[tensor.name] else {
            throw CheckpointError.tensor(name: tensor.name, reason: "is not in \(path)")
        }
        return shards[place]
    }
}
