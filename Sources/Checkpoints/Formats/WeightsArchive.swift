import Storage

/// Opening of weights by what a file contains, whatever its name is.
public enum WeightsArchive {
    /// Opens a file of weights.
    ///
    /// - Parameters:
    ///   - path: A safetensors file, a PyTorch file, or the index of several (`….index.json`).
    ///   - stateDict: Which of several nested dictionaries of a PyTorch file to take, such as
    ///     `model_ema`; nil takes the plain one. See ``PyTorchFile``.
    /// - Returns: The archive.
    /// - Throws: ``CheckpointError`` when the file cannot be read, is damaged or is of no known kind.
    public static func open(
        _ path: String,
        stateDict: String? = nil
    ) throws(CheckpointError) -> any TensorArchive {
        let file = try CheckpointError.of(try MappedFile(path: path))
        let kind = WeightsKind(source: file, head: try CheckpointError.of(try WeightsKind.head(of: file)))
        guard kind == .index else { return try open(file, kind, stateDict: stateDict) }
        guard stateDict == nil else { throw noStateDicts(path) }
        return try ShardedArchive(path: path)
    }

    /// Opens one of the files that an index names, which cannot be an index itself.
    static func openShard(_ path: String) throws(CheckpointError) -> any TensorArchive {
        let file = try CheckpointError.of(try MappedFile(path: path))
        let kind = WeightsKind(source: file, head: try CheckpointError.of(try WeightsKind.head(of: file)))
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
            guard stateDict == nil else { throw noStateDicts(file.path) }
            return try SafetensorsFile(file)
        case .foreign, .index: throw kind.error(file).map(CheckpointError.init) ?? unknown(file.path)
        }
    }

    private static func unknown(_ path: String) -> CheckpointError {
        .unsupported(file: path, reason: "it is neither a safetensors nor a PyTorch file")
    }

    private static func noStateDicts(_ path: String) -> CheckpointError {
        .unsupported(
            file: path,
            reason:
                "a safetensors file holds one set of tensors, so there is none to choose by name"
        )
    }
}
