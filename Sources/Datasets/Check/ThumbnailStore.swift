import Foundation

/// Small pictures of one size in a file without a name, so that memory does not grow with their number.
final class ThumbnailStore: Sendable {
    private let descriptor: Int32

    /// Makes an empty store.
    init() throws(DatasetError) {
        let scratch = ScratchFile.make()
        guard scratch.descriptor >= 0 else {
            throw .unreadableSet(path: scratch.folder, detail: lastSystemMessage())
        }
        descriptor = scratch.descriptor
    }

    deinit { close(descriptor) }

    /// Keeps a picture; from any thread.
    ///
    /// - Returns: Whether there was room.
    func write(_ thumbnail: [UInt8], at place: Int) -> Bool {
        let offset = off_t(place * PerceptualHash.thumbnailSize)
        return thumbnail.withUnsafeBytes {
            pwrite(descriptor, $0.baseAddress, $0.count, offset) == $0.count
        }
    }

    /// Reads a picture; empty where none was kept.
    func read(_ place: Int) -> [UInt8] {
        let size = PerceptualHash.thumbnailSize
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = max(0, pread(descriptor, buffer.baseAddress, size, off_t(place * size)))
        }
    }
}

/// Files that have no name and are gone with the process.
enum ScratchFile {
    /// Makes one in `TMPDIR`, or in `/var/tmp`, which unlike `/tmp` is seldom in memory.
    ///
    /// - Returns: The open file, below 0 where there is none and `errno` tells why; and its folder.
    static func make() -> (descriptor: Int32, folder: String) {
        let wanted = ProcessInfo.processInfo.environment["TMPDIR"] ?? ""
        let folder = wanted.isEmpty ? "/var/tmp" : wanted
        var template = Array("\(folder)/swift-deit-XXXXXX".utf8CString)
        let descriptor = template.withUnsafeMutableBufferPointer { buffer -> Int32 in
            guard let name = buffer.baseAddress else { return -1 }
            let descriptor = mkstemp(name)
            if descriptor >= 0 { unlink(name) }
            return descriptor
        }
        return (descriptor, folder)
    }
}
