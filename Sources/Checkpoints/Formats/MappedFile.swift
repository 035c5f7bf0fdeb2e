internal import CMappedFile

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file mapped into memory, whose bytes are copied out only as they are asked for.
///
/// The mapping itself is never handed out: a file that somebody shortens while it is mapped kills the
/// process that touches it, unless the copy is a guarded one. Pages go back to the system after each
/// copy, so that a large file does not stand in memory twice.
final class MappedFile: ByteSource {
    let path: String
    let count: Int
    // A mapping lasts as long as this object and is only ever read.
    nonisolated(unsafe) private let start: UnsafeMutableRawPointer?
    private let descriptor: Int32

    /// Maps a file.
    ///
    /// - Parameter path: The file.
    /// - Throws: ``CheckpointError/unreadable(path:reason:)`` when it cannot be read or is no regular file.
    init(path: String) throws(CheckpointError) {
        self.path = path
        // Not blocking, so that a pipe under the name of a file is an error and no endless wait.
        descriptor = uninterrupted { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard descriptor >= 0 else {
            throw CheckpointError.unreadable(path: path, reason: systemReason())
        }
        do throws(CheckpointError) {
            count = try Self.length(of: descriptor, path: path)
            start = try Self.map(descriptor, count, path: path)
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit {
        if let start { munmap(start, count) }
        close(descriptor)
    }

    private static func length(of descriptor: Int32, path: String) throws(CheckpointError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw CheckpointError.unreadable(path: path, reason: systemReason())
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw CheckpointError.unreadable(path: path, reason: "it is no regular file")
        }
        return Int(status.st_size)
    }

    private static func map(
        _ descriptor: Int32,
        _ count: Int,
        path: String
    ) throws(CheckpointError) -> UnsafeMutableRawPointer? {
        guard count > 0 else { return nil }
        let mapping = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0)
        guard let mapping, mapping != MAP_FAILED else {
            throw CheckpointError.unreadable(path: path, reason: systemReason())
        }
        return mapping
    }

    func copy(
        from offset: Int,
        into destination: UnsafeMutableRawBufferPointer
    ) throws(CheckpointError) {
        guard let target = destination.baseAddress, !destination.isEmpty else { return }
        guard let start, offset >= 0, offset <= count, destination.count <= count - offset else {
            throw CheckpointError.malformed(file: path, reason: "it is cut short")
        }
        // Whole pieces, so that a tensor of gigabytes does not stand in memory twice either.
        var done = 0
        while done < destination.count {
            let size = min(Self.pieceSize, destination.count - done)
            let source = start + offset + done
            advise(source, size, Self.willRead)
            guard mf_copy(target + done, source, size) else { throw shortened }
            advise(source, size, MADV_DONTNEED)
            done += size
        }
        // The last page of a file that was cut reads as zeros beyond its end, without a fault.
        guard try Self.length(of: descriptor, path: path) >= count else { throw shortened }
    }

    private var shortened: CheckpointError {
        .unreadable(path: path, reason: "it has become shorter while it was read")
    }

    private static let pieceSize = 16 << 20
    private static let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))

    #if os(Linux)
    // MADV_POPULATE_READ: all pages at once rather than by a fault each. Kernels before 5.14 refuse it
    // and then fault as ever.
    private static let willRead: Int32 = 22
    #else
    private static let willRead = MADV_WILLNEED
    #endif

    /// Tells the system about pages; what it makes of it changes speed and memory, never bytes.
    private func advise(_ address: UnsafeMutableRawPointer, _ size: Int, _ advice: Int32) {
        let offset = Int(bitPattern: address) % Self.pageSize
        _ = madvise(address - offset, size + offset, advice)
    }
}
