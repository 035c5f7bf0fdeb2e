#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file that is read at any offset, from any thread, by one system call a read.
///
/// It suits files that are read here and there, such as archives of images; ``MappedFile`` suits those that are read whole.
package final class OpenFile: ByteSource {
    package let path: String
    /// The number of bytes when the file was opened.
    package let count: Int
    private let descriptor: Int32

    /// Opens a file.
    ///
    /// - Parameter path: The file.
    /// - Throws: ``StorageError/unreadable(path:reason:)`` when it cannot be opened or is not a regular file.
    package init(path: String) throws(StorageError) {
        self.path = path
        // Not blocking, so that a pipe under the name of a file is an error and no endless wait.
        descriptor = uninterrupted { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard descriptor >= 0 else { throw .unreadable(path: path, reason: systemReason()) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .unreadable(path: path, reason: "it is not a regular file")
        }
        count = Int(status.st_size)
    }

    /// Takes over an open file.
    ///
    /// - Parameters:
    ///   - path: Its name in messages.
    ///   - descriptor: The file, which is closed with this object.
    ///   - count: The number of its bytes.
    package init(path: String, descriptor: Int32, count: Int) {
        self.path = path
        self.descriptor = descriptor
        self.count = count
    }

    deinit { close(descriptor) }

    package func copy(
        from start: Int,
        into destination: UnsafeMutableRawBufferPointer
    ) throws(StorageError) {
        let moved: Int
        do throws(SystemError) {
            moved = try Descriptor.read(into: destination, from: descriptor, at: start)
        } catch {
            throw .unreadable(path: path, reason: error.reason)
        }
        guard moved == destination.count else {
            throw .unreadable(path: path, reason: "it has become shorter while it was read")
        }
    }
}
