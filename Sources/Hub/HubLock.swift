import Storage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The lock of one blob, which Python's hub client honours too (`filelock`, that is `flock`).
///
/// The lock's file stays: removing it would let two processes lock two files of one name.
final class HubLock {
    private let descriptor: Int32

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Gives the lock back, also to children that were started in the meantime and inherited it.
    func release() { flock(descriptor, LOCK_UN) }

    /// Takes the lock if nobody holds it.
    static func attempt(_ path: String) throws(HubError) -> HubLock? {
        let descriptor = uninterrupted {
            open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o664)
        }
        guard descriptor >= 0 else { throw HubFileSystem.failure(at: path) }
        let lock = HubLock(descriptor)
        guard uninterrupted({ flock(descriptor, LOCK_EX | LOCK_NB) }) == 0 else {
            let code = errno
            if code == EWOULDBLOCK || code == EACCES { return nil }
            throw HubFileSystem.failure(at: path, code)
        }
        // Someone may have removed the file between its opening and its locking.
        var mine = stat()
        var named = stat()
        guard fstat(descriptor, &mine) == 0, stat(path, &named) == 0, mine.st_ino == named.st_ino,
            mine.st_dev == named.st_dev
        else { return nil }
        return lock
    }

    /// Takes the lock, waiting as long as another process holds it.
    static func acquire(
        _ path: String,
        whileWaiting tell: () -> Void
    ) async throws(HubError) -> HubLock {
        var isFirst = true
        while true {
            if let lock = try attempt(path) { return lock }
            if isFirst { tell() }
            isFirst = false
            // `flock` would block a thread that other tasks need.
            do { try await Task.sleep(for: .milliseconds(50)) } catch { throw HubError.cancelled }
        }
    }
}
