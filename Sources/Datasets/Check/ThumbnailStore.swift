import Foundation
import Storage

/// Small images of one size in a file without a name, so that memory does not grow with their number.
final class ThumbnailStore: Sendable {
    private let descriptor: Int32

    /// Makes an empty store.
    init() throws(DatasetError) {
        let folder = NamelessFile.temporaryFolder
        descriptor = NamelessFile.open(in: folder)
        guard descriptor >= 0 else {
            throw .unreadableSet(path: folder, detail: systemReason())
        }
    }

    deinit { close(descriptor) }

    /// Keeps an image; from any thread.
    ///
    /// - Returns: Whether it was written.
    func write(_ thumbnail: [UInt8], at place: Int) -> Bool {
        let offset = place * PerceptualHash.thumbnailSize
        do throws(SystemError) {
            try Descriptor.write(thumbnail, to: descriptor, at: offset)
            return true
        } catch {
            return false
        }
    }

    /// Reads an image; empty where none was kept.
    func read(_ place: Int) -> [UInt8] {
        let size = PerceptualHash.thumbnailSize
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            let target = UnsafeMutableRawBufferPointer(buffer)
            count = (try? Descriptor.read(into: target, from: descriptor, at: place * size)) ?? 0
        }
    }
}
