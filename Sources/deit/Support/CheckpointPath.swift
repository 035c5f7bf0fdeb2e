import HuggingFace

/// The path of a checkpoint that may be named on the hub.
enum CheckpointPath {
    /// Finds a checkpoint, and fetches it where it is a name that the cache does not have.
    ///
    /// - Parameter nameOrPath: A path, or `ORG/NAME`.
    /// - Returns: The path.
    /// - Throws: `HubError`.
    static func find(_ nameOrPath: String) async throws -> String {
        let progress = PullProgress()
        defer { progress.clear() }
        return try await PretrainedLocation.locate(nameOrPath, progress: progress.show)
    }
}
