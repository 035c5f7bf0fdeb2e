import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file that grows as training goes, and that a resumed run cuts where its checkpoint stood.
final class AppendedFile {
    let path: String
    /// The length in bytes.
    private(set) var length: Int
    private let descriptor: Int32

    /// Opens a file, created where it does not exist, and cuts it to a length; a shorter one stays as it is.
    init(path: String, keeping length: Int) throws(RunError) {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw DurableFiles.failure(path) }
        let present = Int(lseek(descriptor, 0, SEEK_END))
        self.length = min(present, max(0, length))
        guard ftruncate(descriptor, off_t(self.length)) == 0,
            lseek(descriptor, off_t(self.length), SEEK_SET) >= 0
        else { throw DurableFiles.failure(path) }
    }

    deinit { close(descriptor) }

    /// Writes at the end.
    func append(_ data: Data) throws(RunError) {
        try DurableFiles.writeAll(data, to: descriptor, path: path)
        length += data.count
    }

    /// Makes sure that everything is on the disk.
    func synchronize() throws(RunError) {
        guard fsync(descriptor) == 0 else { throw DurableFiles.failure(path) }
    }
}
