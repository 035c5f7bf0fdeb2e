/// What a pull tells while it works.
public enum HubEvent: Sendable, Equatable {
    /// The Hub has listed the files to download.
    ///
    /// - Parameters:
    ///   - commit: The revision's commit.
    ///   - bytes: How many bytes the files that are to be fetched have in all, if the Hub gave the size of each.
    ///   - files: How many files are to be fetched; 0 where the cache has them all.
    case planned(commit: String, bytes: Int?, files: Int)

    /// Another process fetches the same file; this one waits for it.
    case waiting(file: String)

    /// A file is being fetched.
    ///
    /// - Parameters:
    ///   - file: The file's name in the repository.
    ///   - bytes: How much of it is on the disk, including what an earlier attempt left.
    ///   - size: Its size, if the Hub gave it.
    case received(file: String, bytes: Int, size: Int?)

    /// Something failed that may pass, and is tried again after a pause.
    case retrying(what: String, reason: String, pause: Duration)

    /// A file is in the cache, whole and checked.
    ///
    /// - Parameters:
    ///   - file: The file's name in the repository.
    ///   - size: Its size in bytes.
    ///   - isVerified: Whether the hub gave a checksum to compare with; if not, only its size is known to be right.
    case finished(file: String, size: Int, isVerified: Bool)
}
