/// What to do with an image that cannot be read or decoded.
public enum UnreadablePolicy: Sendable, Equatable {
    /// The first one ends the iteration with an error: for measurements that must be complete.
    case fail
    /// The next readable image takes its place, so that batches and steps stay the same: for training.
    /// More than `limit` different ones end the iteration.
    case replace(limit: Int)
    /// It is left out and its batch is smaller: for measurements. More than `limit` end the iteration.
    case drop(limit: Int)

    /// The limit that is usual: one in a hundred, but at least ten.
    ///
    /// - Parameter count: The number of images.
    /// - Returns: The limit.
    public static func usualLimit(count: Int) -> Int { max(10, count / 100) }

    var limit: Int {
        switch self {
        case .fail: 0
        case .replace(let limit), .drop(let limit): limit
        }
    }
}
