import Synchronization

/// The report of a loader, added to in the order of the batches.
final class SkippedReport: Sendable {
    private let state: Mutex<SkippedPictures>

    init(limit: Int) {
        state = Mutex(SkippedPictures(limit: limit))
    }

    var value: SkippedPictures { state.withLock { $0 } }

    /// Adds the pictures of one batch; throws when there are too many.
    func add(_ skipped: [(index: Int, entry: SkippedPictures.Entry)]) throws(DatasetError) {
        guard !skipped.isEmpty else { return }
        let now = state.withLock { state in
            for (index, entry) in skipped { state.insert(index: index, entry: entry) }
            return state
        }
        if now.count > now.limit { throw .tooManyUnreadable(now) }
    }
}
