internal import CZlib
import Foundation

/// Inflates a gzip file piece by piece into a file without a name, so that it can be read at any place.
///
/// Memory holds two pieces; the file lies in `TMPDIR`, or in `/var/tmp`, and is gone with the process.
enum GzipStream {
    private static let pieceSize = 1 << 18
    /// An archive may grow to so many times its size, or to so many bytes; images hardly grow at all.
    private static let growthLimit = (factor: 64, bytes: 64 << 20)

    /// What came out of an archive.
    struct Result {
        let file: ShardFile
        /// What is wrong with the compressed data; what came before it is there.
        let problem: DatasetError?
    }

    /// Inflates a file.
    ///
    /// - Parameter path: The compressed file.
    /// - Returns: What came out, whole or up to where the data is damaged.
    /// - Throws: ``DatasetError`` when the file cannot be read or there is no room.
    static func inflated(_ path: String) throws(DatasetError) -> Result {
        let source = try ShardFile(path: path)
        let sink = try ScratchSink(for: path)
        var stream = z_stream()
        // 32: gzip or zlib, as the header tells.
        guard
            inflateInit2_(&stream, 15 + 32, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
                == Z_OK
        else {
            throw .unreadableSet(path: path, detail: "out of memory")
        }
        defer { inflateEnd(&stream) }
        let problem = try pump(source, through: &stream, into: sink)
        return Result(file: sink.finished(), problem: problem)
    }

    private static func pump(
        _ source: ShardFile,
        through stream: inout z_stream,
        into sink: ScratchSink
    ) throws(DatasetError) -> DatasetError? {
        var at = 0
        var isAtStart = true
        let limit = max(growthLimit.bytes, source.count * growthLimit.factor)
        while at < source.count {
            let piece = try source.read(at: at, count: pieceSize)
            guard !piece.isEmpty else { break }
            at += piece.count
            var used = 0
            while used < piece.count {
                let step = try inflateOnce(piece, from: used, &stream, sink)
                used += step.used
                guard sink.count <= limit else {
                    return .malformed(
                        path: source.path,
                        detail:
                            "it unpacks to more than \(growthLimit.factor) times its size, as no images do;"
                            + " if it is right, unpack it with another program first"
                    )
                }
                isAtStart = false
                switch step.code {
                case Z_OK: continue
                case Z_BUF_ERROR where step.used > 0: continue
                case Z_BUF_ERROR: used = piece.count
                case Z_STREAM_END:
                    // Members that follow one another are joined; what else follows is padding.
                    isAtStart = true
                    guard used == piece.count || piece[used] == 0x1F, inflateReset(&stream) == Z_OK
                    else { return nil }
                default:
                    let words = stream.msg.map { String(cString: $0) } ?? "damaged"
                    return .malformed(
                        path: source.path,
                        detail: "its compressed data is wrong (\(words))"
                    )
                }
            }
        }
        guard isAtStart else {
            return .malformed(
                path: source.path,
                detail: "it is cut short: the compressed data ends too early"
            )
        }
        return nil
    }

    private static func inflateOnce(
        _ piece: [UInt8],
        from start: Int,
        _ stream: inout z_stream,
        _ sink: ScratchSink
    ) throws(DatasetError) -> (used: Int, code: Int32) {
        var code = Z_OK
        var used = 0
        let output = [UInt8](unsafeUninitializedCapacity: 4 * pieceSize) { output, made in
            piece.withUnsafeBufferPointer { input in
                // zlib reads the input only, but its header does not say so.
                stream.next_in = UnsafeMutablePointer(
                    mutating: input.baseAddress?.advanced(by: start)
                )
                stream.avail_in = UInt32(piece.count - start)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(output.count)
                code = inflate(&stream, Z_NO_FLUSH)
                used = piece.count - start - Int(stream.avail_in)
                made = output.count - Int(stream.avail_out)
            }
        }
        try sink.write(output)
        return (used, code)
    }
}

/// A file without a name that grows and is then read.
private final class ScratchSink {
    private let source: String
    private let folder: String
    private var descriptor: Int32
    private(set) var count = 0

    init(for source: String) throws(DatasetError) {
        self.source = source
        folder = NamelessFile.temporaryFolder
        descriptor = NamelessFile.open(in: folder)
        guard descriptor >= 0 else { throw failure(lastSystemMessage()) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func write(_ bytes: [UInt8]) throws(DatasetError) {
        var done = 0
        while done < bytes.count {
            let moved = bytes.withUnsafeBytes {
                Foundation.write(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done)
            }
            if moved < 0, errno == EINTR { continue }
            guard moved > 0 else { throw failure(lastSystemMessage()) }
            done += moved
        }
        count += done
    }

    func finished() -> ShardFile {
        let file = ShardFile(path: source, descriptor: descriptor, count: count)
        descriptor = -1
        return file
    }

    private func failure(_ reason: String) -> DatasetError {
        .unreadableSet(
            path: source,
            detail:
                "it cannot be unpacked into \(folder): \(reason); set TMPDIR to a folder with room, or unpack it"
        )
    }
}
