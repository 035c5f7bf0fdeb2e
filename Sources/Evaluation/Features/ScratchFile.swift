import Checkpoints
import Datasets
import Foundation

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
            throw .unwritable(path: path, reason: ScratchFile.systemReason())
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
            let read = piece.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress, $0.count, off_t(offset))
            }
            if read < 0, errno == EINTR { continue }
            guard read > 0 else {
                throw .unwritable(path: path, reason: ScratchFile.systemReason())
            }
            try sink.write(read == piece.count ? piece : Array(piece[..<read]))
            offset += read
        }
    }

    private func flush() throws(CheckpointError) {
        var at = 0
        while at < buffer.count {
            let written = buffer.withUnsafeBytes {
                Foundation.write(descriptor, $0.baseAddress?.advanced(by: at), $0.count - at)
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else {
                throw .unwritable(path: path, reason: ScratchFile.systemReason())
            }
            at += written
        }
        buffer.removeAll(keepingCapacity: true)
    }

    private static func systemReason() -> String { String(cString: strerror(errno)).lowercased() }
}
