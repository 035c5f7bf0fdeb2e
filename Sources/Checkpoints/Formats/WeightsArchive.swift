/// Opening of weights by what a file contains, whatever its name is.
public enum WeightsArchive {
    /// Opens a file of weights.
    ///
    /// - Parameters:
    ///   - path: A safetensors file.
    ///   - stateDict: Which of several nested dictionaries of a PyTorch file to take, such as
    ///     `model_ema`; nil takes the plain one.
    /// - Returns: The archive.
    /// - Throws: ``CheckpointError`` when the file cannot be read, is damaged or is of no known kind.
    public static func open(
        _ path: String,
        stateDict: String? = nil
    ) throws(CheckpointError) -> any TensorArchive {
        let file = try SafetensorsFile(path: path)
        guard stateDict == nil else { throw noStateDicts(path) }
        return file
    }

    private static func noStateDicts(_ path: String) -> CheckpointError {
        .unsupported(
            file: path,
            reason:
                "a safetensors file holds one set of tensors, so there is none to choose by name"
        )
    }
}
