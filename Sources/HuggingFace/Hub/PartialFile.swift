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
        descriptor = HubFileSystem.uninterrupted {
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
        let failure: HubError? = bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = UnsafeRawBufferPointer(rebasing: rest)
                let written = HubFileSystem.uninterrupted {
                    #if canImport(Glibc)
                    Glibc.write(descriptor, piece.baseAddress, piece.count)
                    #elseif canImport(Musl)
                    Musl.write(descriptor, piece.baseAddress, piece.count)
                    #else
                    Darwin.write(descriptor, piece.baseAddress, piece.count)
                    #endif
                }
                guard written > 0 else { return HubFileSystem.failure(at: path) }
                count += written
                rest = rest.dropFirst(written)
            }
            return nil
        }
        if let failure { throw failure }
    }

    /// Throws away what has arrived.
    func empty() throws(HubError) {
        guard HubFileSystem.uninterrupted({ ftruncate(descriptor, 0) }) == 0,
            lseek(descriptor, 0, SEEK_SET) == 0
        else { throw HubFileSystem.failure(at: path) }
        count = 0
    }

    /// Brings the bytes to the disk; a full one may show only here.
    func synchronize() throws(HubError) {
        guard HubFileSystem.uninterrupted({ fsync(descriptor) }) == 0 else {
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
            let found = HubFileSystem.uninterrupted {
                pread(descriptor, buffer.baseAddress, size, off_t(offset))
            }
            guard found >= 0 else { throw HubFileSystem.failure(at: path) }
            guard found > 0 else { return }
            body(UnsafeRawBufferPointer(rebasing: buffer[..<found]))
            offset += found
        }
    }
}
