internal import CTorch
import Foundation
import Synchronization

/// The store at which processes meet: small values by key, kept by process 0 or by the launcher.
///
/// Its functions wait for the process that keeps it, without end if that one is stopped. Where that may be, ``within(_:_:)``
/// calls them from a thread of its own.
final class GroupStore: @unchecked Sendable {
    // c10d's stores and process groups may be called from any thread.
    let handle: ct_group

    init(handle: ct_group) { self.handle = handle }

    deinit { ct_group_release(handle) }

    func set(_ key: String, to text: String = "") throws(TorchError) {
        let bytes = Array(text.utf8)
        try guarded("store") { ct_group_set(handle, key, bytes, bytes.count) }
    }

    /// The text under a key; nil where it is absent.
    func text(_ key: String) throws(TorchError) -> String? {
        var found: ct_tensor?
        try guarded("store") { ct_group_get(handle, key, &found) }
        guard let found else { return nil }
        let bytes: [UInt8] = try Tensor(owning: found).elements(of: .uint8)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Runs a closure on a thread of its own.
    ///
    /// - Parameters:
    ///   - limit: How long to wait for it.
    ///   - body: What to run; it may report results early by calling its argument again and again.
    /// - Returns: The last report; nil where there was none. The thread may be stuck for good.
    static func within<R: Sendable>(
        _ limit: Duration,
        _ body: @escaping @Sendable (_ report: (R) -> Void) -> Void
    ) -> R? {
        let latest = LatestReport<R>()
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            body { report in latest.value.withLock { $0 = report } }
            done.signal()
        }
        let seconds =
            Double(limit.components.seconds) + Double(limit.components.attoseconds) * 1e-18
        _ = done.wait(timeout: .now() + seconds)
        return latest.value.withLock { $0 }
    }

    private final class LatestReport<R: Sendable>: Sendable {
        let value = Mutex<R?>(nil)
    }
}
