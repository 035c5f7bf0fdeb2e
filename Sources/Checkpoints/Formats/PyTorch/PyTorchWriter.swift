public import Torch

/// Writing of PyTorch files, which `torch.load(weights_only=True)` reads.
public enum PyTorchWriter {
    /// Writes tensors to a file, aside and then under its name.
    ///
    /// The file is a zip archive like those of torch.save: an ordered dictionary of contiguous tensors,
    /// each with a storage of its own.
    ///
    /// - Parameters:
    ///   - tensors: The tensors with their keys, in order, on any device.
    ///   - key: A name under which an outer dictionary holds them, as `model` in Facebook's files; nil
    ///     for none.
    ///   - path: The file, in a folder that exists.
    /// - Throws: ``CheckpointError``; the file that was there before is then as it was.
    public static func write(
        _ tensors: [(name: String, tensor: Tensor)],
        under key: String? = nil,
        to path: String
    ) throws(CheckpointError) {
        var names: Set<String> = []
        let descriptions = tensors.map { name, tensor in
            ArchivedTensor(name: name, dtype: SafetensorsDType(tensor.dtype), shape: tensor.shape)
        }
        for tensor in descriptions where !names.insert(tensor.name).inserted {
            throw CheckpointError.tensor(name: tensor.name, reason: "the name is taken already")
        }
        guard let pickle = PickleWriter.stateDict(descriptions, under: key) else {
            throw CheckpointError.unwritable(path: path, reason: "PyTorch lacks an element type")
        }
        try AtomicFile.write(to: path) { sink throws(CheckpointError) in
            var archive = ZipWriter(sink)
            try archive.add("archive/data.pkl", pickle)
            try archive.add("archive/byteorder", Array("little".utf8))
            for (place, (name, tensor)) in tensors.enumerated() {
                try add(tensor, named: name, place: place, to: &archive)
            }
            try archive.add("archive/version", Array("3\n".utf8))
            try archive.finish()
        }
    }

    private static func add(
        _ tensor: Tensor,
        named name: String,
        place: Int,
        to archive: inout ZipWriter
    ) throws(CheckpointError) {
        do {
            try tensor.withBytes { bytes in try archive.add("archive/data/\(place)", bytes) }
        } catch let error as CheckpointError {
            throw error
        } catch {
            throw CheckpointError.tensor(name: name, reason: "\(error)")
        }
    }
}
