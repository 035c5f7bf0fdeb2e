import Synchronization

/// The report of a loader, added to in the order of the batches.
final class SkippedReport: Sendable {
    private let state: Mutex<SkippedImages>

    init(limit: Int) {
        state = Mutex(SkippedImages(limit: limit))
    }

    var value: SkippedImages { state.withLock { $0 } }

    /// Adds the images of one batch; throws when there are too many.
    func add(_ skipped: [(index: Int, entry: SkippedImages.Entry)]) throws(DatasetError) {
        guard !skipped.isEmpty else { return }
        let now = state.withLock { state in
            for (index, entry) in skipped { state.insert(index: index, entry: entry) }
            return state
        }
        if now.count > now.limit { throw .tooManyUnreadable(now) }
    }
}
