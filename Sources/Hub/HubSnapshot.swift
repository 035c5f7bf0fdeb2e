/// A revision's files in the cache.
public struct HubSnapshot: Sendable, Equatable {
    /// The folder with the files; it serves wherever a model directory does.
    public let folder: String

    /// The commit.
    public let commit: String

    /// The files that this pull fetched; empty where the cache had them all.
    public let fetched: [String]

    /// Those of them for which the hub gave no checksum: only their sizes are known to be right.
    public let unverified: [String]

    init(folder: String, commit: String, fetched: [String] = [], unverified: [String] = []) {
        self.folder = folder
        self.commit = commit
        self.fetched = fetched
        self.unverified = unverified
    }
}
