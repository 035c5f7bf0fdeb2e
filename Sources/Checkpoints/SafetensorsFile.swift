#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// An open safetensors file: a checked table of contents, and the bytes of each tensor on demand.
///
/// Bytes are copied out of the file rather than mapped, since a file that somebody shortens while it
/// is mapped kills the process; here it is an error.
///
/// ## Source
/// The format: huggingface/safetensors, README, "Format".
public final class SafetensorsFile: Sendable {
    /// The path of the file.
    public let path: String

    /// The table of contents.
    public let header: SafetensorsHeader

    private let descriptor: Int32
    private let dataStart: Int

    /// Opens a file and checks its header.
    ///
    /// - Parameter path: The file.
    /// - Throws: ``CheckpointError`` when it cannot be read or is no sound safetensors file.
    public init(path: String) throws(CheckpointError) {
        self.path = path
        let (descriptor, length) = try Self.openRegularFile(path)
        do throws(CheckpointError) {
            guard length >= 8 else {
                throw CheckpointError.malformed(
                    file: path,
                    reason: "it has \(length) bytes, fewer than the 8 of a header's length"
                )
            }
            let prefix = try Self.read(descriptor, 8, at: 0, path: path)
            let size = prefix.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard size <= UInt64(SafetensorsHeader.maximumSize) else {
                throw CheckpointError.malformed(
                    file: path,
                    reason: "its header would have \(size) bytes; it is no safetensors file"
                )
            }
            let headerSize = Int(size)
            guard headerSize <= length - 8 else {
                throw CheckpointError.malformed(
                    file: path,
                    reason:
                        "its header would have \(size) bytes, the file has \(length); it is cut short "
                        + "or no safetensors file"
                )
            }
            let json = try Self.read(descriptor, headerSize, at: 8, path: path)
            header = try SafetensorsHeader(
                json: json,
                dataLength: length - 8 - headerSize,
                file: path
            )
            dataStart = 8 + headerSize
            self.descriptor = descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit { close(descriptor) }

    /// The bytes of a tensor, little-endian and in row-major order.
    ///
    /// - Parameter entry: An entry of this file's ``header``.
    /// - Returns: As many bytes as the entry's range has.
    /// - Throws: ``CheckpointError`` when the disk fails or the file has become shorter.
    public func bytes(of entry: SafetensorsHeader.Entry) throws(CheckpointError) -> [UInt8] {
        try Self.read(
            descriptor,
            entry.range.count,
            at: dataStart + entry.range.lowerBound,
            path: path
        )
    }

    private static func openRegularFile(_ path: String) throws(CheckpointError) -> (Int32, Int) {
        // Not blocking, so that a pipe under the name of a file is an error and no endless wait.
        let descriptor = uninterrupted { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard descriptor >= 0 else {
            throw CheckpointError.unreadable(path: path, reason: systemReason())
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let reason = systemReason()
            close(descriptor)
            throw CheckpointError.unreadable(path: path, reason: reason)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw CheckpointError.unreadable(path: path, reason: "it is no regular file")
        }
        return (descriptor, Int(status.st_size))
    }

    private static func read(
        _ descriptor: Int32,
        _ count: Int,
        at offset: Int,
        path: String
    ) throws(CheckpointError) -> [UInt8] {
        var failure: String?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while initialized < count {
                let target = buffer.baseAddress.map { $0 + initialized }
                let done = uninterrupted {
                    pread(
                        descriptor,
                        target,
                        min(count - initialized, 1 << 30),
                        off_t(offset + initialized)
                    )
                }
                guard done > 0 else {
                    failure = done == 0 ? "it has become shorter while it was read" : systemReason()
                    return
                }
                initialized += done
            }
        }
        if let failure { throw CheckpointError.unreadable(path: path, reason: failure) }
        return bytes
    }
}
