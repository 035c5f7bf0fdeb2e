import Storage

/// Opening of weights by what a file contains, whatever its name is.
public enum WeightsArchive {
    /// Opens a file of weights.
    ///
    /// - Parameters:
    ///   - path: A safetensors file, a PyTorch file, or the index of several (`….index.json`).
    ///   - stateDict: Which of several nested dictionaries of a PyTorch file to take, such as
    ///     `model_ema`, or of any file what the names of the wanted tensors begin with, such as `backbone`; nil takes the
    ///     plain ones. See ``PyTorchFile``.
    /// - Returns: The archive.
    /// - Throws: ``CheckpointError`` when the file cannot be read, is damaged or is of no known kind.
    public static func open(
        _ path: String,
        stateDict: String? = nil
    ) throws(CheckpointError) -> any TensorArchive {
        let file = try CheckpointError.of(try MappedFile(path: path))
        let kind = WeightsKind(
            source: file,
            head: try CheckpointError.of(try WeightsKind.head(of: file))
        )
        guard kind == .index else { return try open(file, kind, stateDict: stateDict) }
        return try SelectedArchive.select(stateDict, of: try ShardedArchive(path: path))
    }

    /// Opens one of the files that an index names, which cannot be an index itself.
    static func openShard(_ path: String) throws(CheckpointError) -> any TensorArchive {
        let file = try CheckpointError.of(try MappedFile(path: path))
        let kind = WeightsKind(
            source: file,
            head: try CheckpointError.of(try WeightsKind.head(of: file))
        )
        guard kind != .index else {
            throw CheckpointError.malformed(file: path, reason: "it is an index within an index")
        }
        return try open(file, kind, stateDict: nil)
    }

    private static func open(
        _ file: MappedFile,
        _ kind: WeightsKind,
        stateDict: String?
    ) throws(CheckpointError) -> any TensorArchive {
        switch kind {
        case .zip, .legacyPyTorch: return try PyTorchFile(file, stateDict: stateDict)
        case .safetensors:
            return try SelectedArchive.select(stateDict, of: try SafetensorsFile(file))
        case .foreign, .index:
            throw kind.error(file).map(CheckpointError.init) ?? unknown(file.path)
        }
    }

    private static func unknown(_ path: String) -> CheckpointError {
        .unsupported(file: path, reason: "it is neither a safetensors nor a PyTorch file")
    }
}
