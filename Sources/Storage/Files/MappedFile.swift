internal import CMappedFile

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file mapped into memory, whose bytes are copied out only as they are requested.
///
/// The mapping itself is never handed out: a file that is truncated while it is mapped kills the
/// process that touches it, unless the copy is a guarded one. Tables and small tensors are copied from
/// the mapping, without a call of the system for each; large pieces by the system itself, straight
/// into their place. Pages go back after each copy, so that no file is in memory twice.
package final class MappedFile: ByteSource {
    package let path: String
    package let count: Int
    // A mapping lasts as long as this object and is only ever read.
    nonisolated(unsafe) private let start: UnsafeMutableRawPointer?
    private let descriptor: Int32

    /// Maps a file.
    ///
    /// - Parameter path: The file.
    /// - Throws: ``StorageError/unreadable(path:reason:)`` when it cannot be read or is not a regular file.
    package init(path: String) throws(StorageError) {
        self.path = path
        // Not blocking, so that a pipe under the name of a file is an error and no endless wait.
        descriptor = uninterrupted { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard descriptor >= 0 else {
            throw StorageError.unreadable(path: path, reason: systemReason())
        }
        do throws(StorageError) {
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

    private static func length(of descriptor: Int32, path: String) throws(StorageError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw StorageError.unreadable(path: path, reason: systemReason())
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw StorageError.unreadable(path: path, reason: "it is not a regular file")
        }
        return Int(status.st_size)
    }

    private static func map(
        _ descriptor: Int32,
        _ count: Int,
        path: String
    ) throws(StorageError) -> UnsafeMutableRawPointer? {
        guard count > 0 else { return nil }
        let mapping = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0)
        guard let mapping, mapping != MAP_FAILED else {
            throw StorageError.unreadable(path: path, reason: systemReason())
        }
        return mapping
    }

    package func copy(
        from offset: Int,
        into destination: UnsafeMutableRawBufferPointer
    ) throws(StorageError) {
        guard let target = destination.baseAddress, !destination.isEmpty else { return }
        guard let start, offset >= 0, offset <= count, destination.count <= count - offset else {
            throw StorageError.malformed(file: path, reason: "it is cut short")
        }
        if destination.count >= Self.largePiece {
            try read(target, destination.count, from: offset)
        } else {
            guard mf_copy(target, start + offset, destination.count) else { throw shortened }
            giveBack(start + offset, destination.count)
        }
        // The last page of a file that was cut reads as zeros beyond its end, without a fault.
        guard try Self.length(of: descriptor, path: path) >= count else { throw shortened }
    }

    /// Lets the system copy a large piece, which spares the pages of the mapping.
    private func read(
        _ target: UnsafeMutableRawPointer,
        _ count: Int,
        from offset: Int
    ) throws(StorageError) {
        do throws(SystemError) {
            let target = UnsafeMutableRawBufferPointer(start: target, count: count)
            let moved = try Descriptor.read(into: target, from: descriptor, at: offset)
            guard moved == count else { throw SystemError(code: 0) }
        } catch {
            guard error.code != 0 else { throw shortened }
            throw StorageError.unreadable(path: path, reason: error.reason)
        }
    }

    private var shortened: StorageError {
        .unreadable(path: path, reason: "it has become shorter while it was read")
    }

    // Filling and emptying the page table for a large piece costs a quarter more than copying it once.
    private static let largePiece = 256 << 10
    private static let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))

    /// Tells the system that pages will not be needed again; it changes memory, never bytes.
    private func giveBack(_ address: UnsafeMutableRawPointer, _ size: Int) {
        let offset = Int(bitPattern: address) % Self.pageSize
        _ = madvise(address - offset, size + offset, MADV_DONTNEED)
    }
}
