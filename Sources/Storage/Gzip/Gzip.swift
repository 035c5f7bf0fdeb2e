internal import CZlib

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Inflation of gzip and zlib streams, with a bound on what may come out.
///
/// Members of a gzip file that follow one another are joined; whatever else follows the last one is padding.
///
/// ## Source
/// RFC 1950, RFC 1952.
package enum Gzip {
    private static let pieceSize = 256 << 10
    /// A file may grow to this many times its size, or to this many bytes; images hardly grow at all.
    private static let growthLimit = (factor: 64, bytes: 64 << 20)

    /// Whether bytes begin as gzip files do.
    ///
    /// - Parameter bytes: The first bytes of a file.
    /// - Returns: Whether it is so.
    package static func begins(_ bytes: some Sequence<UInt8>) -> Bool {
        bytes.starts(with: [0x1F, 0x8B])
    }

    /// Inflates a stream into memory.
    ///
    /// - Parameters:
    ///   - source: The compressed bytes.
    ///   - limit: The most bytes that may come out.
    /// - Returns: The first `limit` bytes, and whether the stream holds more.
    /// - Throws: ``StorageError/malformed(file:reason:)`` when the stream is damaged or cut short within the limit.
    package static func inflate(
        _ source: some ByteSource,
        limit: Int
    ) throws(StorageError) -> (data: [UInt8], hasMore: Bool) {
        var data: [UInt8] = []
        data.reserveCapacity(min(limit, pieceSize * 4))
        var hasMore = false
        try inflate(source) { (piece) throws(StorageError) in
            let room = limit - data.count
            data.append(contentsOf: piece.prefix(room))
            hasMore = piece.count > room
            return !hasMore
        }
        return (data, hasMore)
    }

    /// Inflates a file into a file without a name, so that it can be read at any offset.
    ///
    /// Memory holds two pieces; the file is in `TMPDIR`, or in `/var/tmp`, and is gone with the process.
    ///
    /// - Parameter source: The compressed file.
    /// - Returns: The inflated file, whole or up to where the data is damaged or too large, and what is wrong with it.
    /// - Throws: ``StorageError`` when the file cannot be read or the disk is full.
    package static func inflateToFile(
        _ source: some ByteSource
    ) throws(StorageError) -> (file: OpenFile, problem: StorageError?) {
        let folder = NamelessFile.temporaryFolder
        func noRoom(_ error: SystemError) -> StorageError {
            .unreadable(
                path: source.path,
                reason: "it cannot be unpacked into \(folder): \(error.reason);"
                    + " set TMPDIR to a folder with room, or unpack it"
            )
        }
        let descriptor = NamelessFile.open(in: folder)
        guard descriptor >= 0 else { throw noRoom(SystemError()) }
        var count = 0
        func finished(_ problem: StorageError?) -> (OpenFile, StorageError?) {
            (OpenFile(path: source.path, descriptor: descriptor, count: count), problem)
        }
        let limit = max(growthLimit.bytes, source.count * growthLimit.factor)
        do throws(StorageError) {
            try inflate(source) { (piece) throws(StorageError) in
                do throws(SystemError) {
                    try Descriptor.write(piece, to: descriptor)
                } catch { throw noRoom(error) }
                count += piece.count
                return count <= limit
            }
        } catch {
            if case .malformed = error { return finished(error) }
            close(descriptor)
            throw error
        }
        guard count <= limit else {
            let reason =
                "it unpacks to more than \(growthLimit.factor) times its size, which image archives do not;"
                + " if it is correct, unpack it with another program first"
            return finished(.malformed(file: source.path, reason: reason))
        }
        return finished(nil)
    }

    /// Inflates a stream piece by piece.
    ///
    /// - Parameters:
    ///   - source: The compressed bytes.
    ///   - take: A closure that gets each piece and returns whether it needs more.
    /// - Throws: ``StorageError/malformed(file:reason:)`` for a damaged stream, and what reading and `take` throw.
    private static func inflate(
        _ source: some ByteSource,
        _ take: (UnsafeRawBufferPointer) throws(StorageError) -> Bool
    ) throws(StorageError) {
        guard var stream = InflateStream() else {
            throw .unreadable(path: source.path, reason: systemReason(ENOMEM))
        }
        let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 * pieceSize, alignment: 16)
        defer { output.deallocate() }
        var at = 0
        while at < source.count {
            let piece = try source.read(at: at, count: pieceSize)
            var used = 0
            while used < piece.count {
                let step = stream.step(piece[used...], into: output)
                used += step.used
                if step.made > 0 {
                    let made = UnsafeRawBufferPointer(rebasing: output[..<step.made])
                    guard try take(made) else { return }
                }
                switch step.code {
                case Z_STREAM_END:
                    let next =
                        used + 2 <= piece.count
                        ? Array(piece[used..<used + 2]) : try source.read(at: at + used, count: 2)
                    guard begins(next), stream.reset() else { return }
                case Z_OK:
                    continue
                case Z_BUF_ERROR where step.used > 0 || step.made > 0:
                    continue
                default:
                    throw .malformed(
                        file: source.path,
                        reason: "its compressed data is damaged (\(stream.message ?? "damaged"))"
                    )
                }
            }
            at += used
        }
        throw .malformed(
            file: source.path,
            reason: "it is cut short: the compressed data ends too early"
        )
    }
}

/// The state of zlib for one stream.
///
/// zlib keeps the address of its state, so that the state must not move.
private struct InflateStream: ~Copyable {
    private let stream: UnsafeMutablePointer<z_stream>

    /// Begins a stream; nil where there is no memory.
    init?() {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 32: gzip or zlib, as the header says.
        let size = Int32(MemoryLayout<z_stream>.size)
        guard inflateInit2_(stream, 15 + 32, ZLIB_VERSION, size) == Z_OK else {
            stream.deallocate()
            return nil
        }
        self.stream = stream
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// zlib's own words for what is wrong.
    var message: String? { stream.pointee.msg.map { String(cString: $0) } }

    /// Begins with the next member; whether that was possible.
    mutating func reset() -> Bool { inflateReset(stream) == Z_OK }

    /// Inflates as much as there is input or room for.
    mutating func step(
        _ input: ArraySlice<UInt8>,
        into output: UnsafeMutableRawBufferPointer
    ) -> (used: Int, made: Int, code: Int32) {
        input.withUnsafeBufferPointer { input in
            // zlib reads the input only, but its header does not say so.
            stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            stream.pointee.avail_in = UInt32(input.count)
            stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(output.count)
            let code = CZlib.inflate(stream, Z_NO_FLUSH)
            let used = input.count - Int(stream.pointee.avail_in)
            return (used, output.count - Int(stream.pointee.avail_out), code)
        }
    }
}
