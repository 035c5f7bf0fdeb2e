import Foundation
import ImagePipeline
import TestSupport
import Testing

/// Whole images through the processors' flavours, compared with Pillow, timm and transformers by fingerprints.
///
/// `Tools/parity/make_processors.py` made the fingerprints. Equal ones mean that no byte differs.
@Suite(.tags(.parity)) struct ProcessorParityTests {
    /// The flavours, in the order of a line's first fingerprints.
    private static func flavours(
        channels: Int
    ) throws -> [(name: String, processor: ImageProcessor)] {
        let (mean, std) = (
            [Float](repeating: 0, count: channels), [Float](repeating: 1, count: channels)
        )
        func processor(
            _ resize: ResizeRule,
            _ interpolation: Interpolation,
            crop: Int?,
            _ centering: CropCentering
        ) throws -> ImageProcessor {
            try ImageProcessor(
                resize: resize,
                interpolation: interpolation,
                cropHeight: crop,
                cropWidth: crop,
                centering: centering,
                channels: channels,
                mean: mean,
                std: std
            )
        }
        return [
            (
                "shortest side 256, crop 224",
                try processor(.shortestSide(256), .bicubic, crop: 224, .rounded)
            ),
            (
                "squash 256, crop 224",
                try processor(.exact(height: 256, width: 256), .bicubic, crop: 224, .floored)
            ),
            (
                "squash 224",
                try processor(.exact(height: 224, width: 224), .bilinear, crop: nil, .rounded)
            ),
            (
                "shortest side 438, crop 384",
                try processor(.shortestSide(438), .bicubic, crop: 384, .rounded)
            ),
            (
                "shortest side 259, crop 224",
                try processor(.shortestSide(259), .bilinear, crop: 224, .floored)
            ),
        ]
    }

    private static let targets = [
        (1, 224), (224, 1), (96, 288), (288, 96), (17, 401), (401, 17), (1, 1), (640, 480),
        (512, 700), (3, 1000),
    ]

    private static func lines(of name: String) throws -> [[String]] {
        let text = String(decoding: try ImageFixtures.bytes("processors/\(name)"), as: UTF8.self)
        return text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    }

    /// The shapes of `odd.txt`: lines of one pixel, three to one, 17 × 4001, a single pixel, in colour and grey.
    @Test func oddShapes() throws {
        let lines = try Self.lines(of: "odd.txt")
        #expect(lines.count == 28)
        for line in lines {
            let size = line.prefix(3).compactMap { Int($0) }
            try #require(size.count == 3 && line.count == 8)
            let pixels = (0..<(size[0] * size[1] * size[2])).map {
                UInt8(truncatingIfNeeded: ($0 * 2_654_435_761) >> 13)
            }
            let image = try Image(
                height: size[0],
                width: size[1],
                channels: size[2],
                pixels: pixels
            )
            let flavours = try Self.flavours(channels: size[2])
            try #require(flavours.count == 5)
            for (index, flavour) in flavours.enumerated() {
                let print = fingerprint(try flavour.processor.prepare(image))
                #expect(
                    print == line[3 + index],
                    "\(size) by \(flavour.name) differs from Pillow's"
                )
            }
        }
    }

    /// All 500 images: decoded, in every flavour, in sizes up and down, and parts of odd shape.
    @Test(.needsShared("data/imagenet-500"))
    func photographs() async throws {
        let lines = try Self.lines(of: "imagenet500.txt")
        #expect(lines.count == 500)
        let folder = try #require(Checkout.sharedFile("data/imagenet-500"))
        let differences = try await withThrowingTaskGroup(of: [String].self) { group in
            for part in 0..<4 {
                group.addTask {
                    try lines.indices.filter { $0 % 4 == part }.flatMap {
                        try Self.differences(of: lines[$0], at: $0, in: folder)
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(differences.isEmpty, "\(differences.count) of 5000: \(differences.prefix(20))")
    }

    /// What differs from Pillow for one image.
    private static func differences(
        of line: [String],
        at index: Int,
        in folder: URL
    ) throws -> [String] {
        let files = try FileManager.default.contentsOfDirectory(
            atPath: folder.appending(path: line[0]).path
        )
        try #require(files.count == 1 && line.count == 11)
        let image = try Image(
            contentsOf: folder.appending(path: "\(line[0])/\(files[0])").path,
            options: DecodingOptions(channels: 3)
        )
        let flavours = try flavours(channels: 3)
        let odd = try image.cropped(to: part(of: image, kind: index % 5))
        let (height, width) = targets[index % targets.count]
        var results = [("decoding", image)]
        for flavour in flavours {
            results.append((flavour.name, try flavour.processor.prepare(image)))
        }
        for interpolation in [Interpolation.bicubic, .bilinear] {
            let resized = try image.resized(
                height: height,
                width: width,
                interpolation: interpolation
            )
            results.append(("\(interpolation) to \(height) × \(width)", resized))
        }
        for flavour in [flavours[0], flavours[2]] {
            results.append(
                ("part \(index % 5), \(flavour.name)", try flavour.processor.prepare(odd))
            )
        }
        try #require(results.count == line.count - 1)
        return results.indices.filter { fingerprint(results[$0].1) != line[1 + $0] }
            .map { "\(line[0]): \(results[$0].0)" }
    }

    /// A row, a column, three to one, one to three, a narrow column.
    private static func part(of image: Image, kind: Int) -> Region {
        let (height, width) = (image.height, image.width)
        let short = min(height, width)
        switch kind {
        case 0: return Region(top: height / 2, left: 0, height: 1, width: width)
        case 1: return Region(top: 0, left: width / 2, height: height, width: 1)
        case 2: return Region(top: 0, left: 0, height: max(1, short / 3), width: short)
        case 3: return Region(top: 0, left: 0, height: short, width: max(1, short / 3))
        default:
            let narrow = min(17, width)
            return Region(
                top: 0,
                left: width / 3 + narrow > width ? 0 : width / 3,
                height: height,
                width: narrow
            )
        }
    }
}
