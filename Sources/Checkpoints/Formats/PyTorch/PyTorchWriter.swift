import Storage
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
        let state = PyTorchValue.stateDict(tensors)
        try write(key.map { .dictionary([($0, state)]) } ?? state, to: path)
    }

    /// Writes a value to a file, aside and then under its name.
    ///
    /// The file is a zip archive like those of torch.save; every tensor in it is contiguous and has a storage of its own.
    ///
    /// - Parameters:
    ///   - value: The value, with tensors on any device.
    ///   - path: The file, in a folder that exists.
    /// - Throws: ``CheckpointError``; the file that was there before is then as it was.
    public static func write(_ value: PyTorchValue, to path: String) throws(CheckpointError) {
        let pickle = try PickleWriter(value)
        try AtomicFile.write(to: path) { sink throws(CheckpointError) in
            var archive = ZipWriter(sink)
            try CheckpointError.of(try archive.add("archive/data.pkl", pickle.bytes))
            try CheckpointError.of(try archive.add("archive/byteorder", Array("little".utf8)))
            for (place, (name, tensor)) in pickle.tensors.enumerated() {
                try add(tensor, named: name, place: place, to: &archive)
            }
            try CheckpointError.of(try archive.add("archive/version", Array("3\n".utf8)))
            try CheckpointError.of(try archive.finish())
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
        } catch let error as StorageError {
            throw CheckpointError(error)
        } catch {
            throw CheckpointError.tensor(name: name, reason: "\(error)")
        }
    }
}
