import Foundation

/// A file that is read at any place, from any thread.
final class ShardFile: Sendable {
    /// The archive's path, for messages.
    let path: String
    /// The number of bytes when it was opened.
    let count: Int
    private let descriptor: Int32

    /// Opens a file.
    init(path: String) throws(DatasetError) {
        self.path = path
        // Not blocking, so that a pipe under the name of a file is an error and no endless wait.
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw .unreadableSet(path: path, detail: lastSystemMessage())
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .unreadableSet(path: path, detail: "it is no regular file")
        }
        count = Int(status.st_size)
    }

    /// Takes over an open file.
    ///
    /// - Parameters:
    ///   - path: What to call it in messages.
    ///   - descriptor: The file, which is closed with this object.
    ///   - count: The number of its bytes.
    init(path: String, descriptor: Int32, count: Int) {
        self.path = path
        self.descriptor = descriptor
        self.count = count
    }

    deinit { close(descriptor) }

    /// Reads bytes; fewer than asked for where the file ends.
    func read(at offset: Int, count wanted: Int) throws(DatasetError) -> [UInt8] {
        guard offset >= 0, wanted >= 0, offset < count else { return [] }
        let size = min(wanted, count - offset)
        var failed: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, done in
            while done < size {
                let moved = pread(
                    descriptor,
                    buffer.baseAddress?.advanced(by: done),
                    size - done,
                    off_t(offset + done)
                )
                if moved < 0, errno == EINTR { continue }
                if moved < 0 { failed = errno }
                guard moved > 0 else { return }
                done += moved
            }
        }
        guard failed == 0 else {
            throw .unreadableSet(path: path, detail: String(cString: strerror(failed)).lowercased())
        }
        return bytes
    }
}
