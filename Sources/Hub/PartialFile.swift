import Storage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The unfinished file of a blob: what earlier attempts left is kept, and more is put after it.
final class PartialFile {
    let path: String
    private let descriptor: Int32

    /// How many bytes it has.
    private(set) var count = 0

    init(_ path: String) throws(HubError) {
        self.path = path
        descriptor = uninterrupted {
            open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
        }
        guard descriptor >= 0 else { throw HubFileSystem.failure(at: path) }
        let end = lseek(descriptor, 0, SEEK_END)
        guard end >= 0 else { throw HubFileSystem.failure(at: path) }
        count = Int(end)
    }

    deinit { close(descriptor) }

    /// Appends bytes.
    func append(_ bytes: [UInt8]) throws(HubError) {
        do throws(SystemError) {
            try Descriptor.write(bytes, to: descriptor)
        } catch {
            throw HubFileSystem.failure(at: path, error.code)
        }
        count += bytes.count
    }

    /// Throws away what has arrived.
    func empty() throws(HubError) {
        guard uninterrupted({ ftruncate(descriptor, 0) }) == 0,
            lseek(descriptor, 0, SEEK_SET) == 0
        else { throw HubFileSystem.failure(at: path) }
        count = 0
    }

    /// Brings the bytes to the disk; a full one may show only here.
    func synchronize() throws(HubError) {
        guard uninterrupted({ fsync(descriptor) }) == 0 else {
            throw HubFileSystem.failure(at: path)
        }
    }

    /// Hands the whole content to a closure, piece by piece.
    func read(_ body: (UnsafeRawBufferPointer) -> Void) throws(HubError) {
        let size = 1 << 20
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        defer { buffer.deallocate() }
        var offset = 0
        while true {
            let found: Int
            do throws(SystemError) {
                found = try Descriptor.read(into: buffer, from: descriptor, at: offset)
            } catch {
                throw HubFileSystem.failure(at: path, error.code)
            }
            guard found > 0 else { return }
            body(UnsafeRawBufferPointer(rebasing: buffer[..<found]))
            offset += found
        }
    }
}
