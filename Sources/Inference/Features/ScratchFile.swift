import Checkpoints
import Datasets
import Foundation
import Storage

/// Bytes kept on the disk until their number is known; nothing is left of them when the process ends.
final class ScratchFile {
    private let descriptor: Int32
    private let path: String
    private var buffer: [UInt8] = []
    private static let bufferSize = 1 << 20

    /// The number of bytes.
    private(set) var count = 0

    /// Makes a file without a name, beside the file that it is for.
    init(for path: String) throws(CheckpointError) {
        self.path = path
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        descriptor = NamelessFile.open(in: folder)
        guard descriptor >= 0 else {
            throw .unwritable(path: path, reason: systemReason())
        }
    }

    deinit { close(descriptor) }

    /// Adds bytes.
    func append(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) {
        buffer.append(contentsOf: bytes)
        count += bytes.count
        if buffer.count >= ScratchFile.bufferSize { try flush() }
    }

    /// Hands all bytes over, in pieces.
    func copy(to sink: FileSink) throws(CheckpointError) {
        try flush()
        var piece = [UInt8](repeating: 0, count: ScratchFile.bufferSize)
        var offset = 0
        while offset < count {
            let result = piece.withUnsafeMutableBytes { piece in
                Result { () throws(SystemError) in
                    try Descriptor.read(into: piece, from: descriptor, at: offset)
                }
            }
            let read: Int
            do throws(SystemError) { read = try result.get() } catch { throw unwritable(error) }
            guard read > 0 else { throw unwritable(SystemError(code: EIO)) }
            try CheckpointError.of(
                try sink.write(read == piece.count ? piece : Array(piece[..<read]))
            )
            offset += read
        }
    }

    private func flush() throws(CheckpointError) {
        do throws(SystemError) {
            try Descriptor.write(buffer, to: descriptor)
        } catch {
            throw unwritable(error)
        }
        buffer.removeAll(keepingCapacity: true)
    }

    private func unwritable(_ error: SystemError) -> CheckpointError {
        .unwritable(path: path, reason: error.reason)
    }
}
