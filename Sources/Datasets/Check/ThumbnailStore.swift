import Foundation

/// Small images of one size in a file without a name, so that memory does not grow with their number.
final class ThumbnailStore: Sendable {
    private let descriptor: Int32

    /// Makes an empty store.
    init() throws(DatasetError) {
        let folder = NamelessFile.temporaryFolder
        descriptor = NamelessFile.open(in: folder)
        guard descriptor >= 0 else {
            throw .unreadableSet(path: folder, detail: lastSystemMessage())
        }
    }

    deinit { close(descriptor) }

    /// Keeps an image; from any thread.
    ///
    /// - Returns: Whether there was room.
    func write(_ thumbnail: [UInt8], at place: Int) -> Bool {
        let offset = off_t(place * PerceptualHash.thumbnailSize)
        return thumbnail.withUnsafeBytes {
            pwrite(descriptor, $0.baseAddress, $0.count, offset) == $0.count
        }
    }

    /// Reads an image; empty where none was kept.
    func read(_ place: Int) -> [UInt8] {
        let size = PerceptualHash.thumbnailSize
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = max(0, pread(descriptor, buffer.baseAddress, size, off_t(place * size)))
        }
    }
}
