import CBaseline
import Foundation
import ImagePipeline

/// Some colour photographs as JPEG files in memory.
struct Images {
    private static let count = 16

    /// The files.
    let files: [[UInt8]]

    /// The same, decoded.
    let images: [Image]

    /// Reads images of ImageNet where `shared` lies beside the checkout or at `DEIT_SHARED`, and makes some otherwise.
    init() throws {
        let root = URL(filePath: #filePath).appending(path: "../../../..").standardizedFileURL
        let shared =
            ProcessInfo.processInfo.environment["DEIT_SHARED"]
            ?? root.appending(path: "../shared").standardizedFileURL.path
        let folder = "\(shared)/data/imagenet-500"
        var files: [[UInt8]] = []
        for name in try FileManager.default.subpathsIfPresent(atPath: folder).sorted()
        where name.lowercased().hasSuffix(".jpeg") || name.lowercased().hasSuffix(".jpg") {
            let file = [UInt8](try Data(contentsOf: URL(filePath: "\(folder)/\(name)")))
            if try Image(decoding: file).channels == 3 { files.append(file) }
            if files.count == Self.count { break }
        }
        if files.isEmpty {
            print("(no images in \(folder): these rows are of images made in memory)")
            files = try (0..<Self.count).map { try Self.made(seed: UInt64($0)) }
        }
        self.files = files
        self.images = try files.map { try Image(decoding: $0) }
    }

    /// A JPEG of ImageNet's usual size with coarse and fine detail.
    private static func made(seed: UInt64) throws -> [UInt8] {
        var generator = SplitMix64(seed: seed)
        let grid = try Image(
            height: 24,
            width: 32,
            channels: 3,
            pixels: (0..<24 * 32 * 3).map { _ in UInt8(generator.integer(below: 256)) }
        )
        let image = try grid.resized(height: 375, width: 500, interpolation: .bicubic)
        let noisy = image.pixels.map { UInt8(min(255, Int($0) + generator.integer(below: 16))) }
        var file = [UInt8](repeating: 0, count: noisy.count)
        let length = baseline_jpeg_encode(noisy, 375, 500, 90, &file, noisy.count)
        guard length > 0 else { throw CocoaError(.fileWriteUnknown) }
        return [UInt8](file[..<length])
    }
}

extension FileManager {
    /// The paths below a folder; none where there is no such folder.
    fileprivate func subpathsIfPresent(atPath path: String) throws -> [String] {
        fileExists(atPath: path) ? try subpathsOfDirectory(atPath: path) : []
    }
}
