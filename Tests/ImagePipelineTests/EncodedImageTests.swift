import Foundation
import ImagePipeline
import TestSupport
import Testing

/// A file that is decoded in part gives the pixels of one that is decoded as a whole.
struct EncodedImageTests {
    private static let scratch = ScratchBox()

    /// One for all cases of a test, which run one after the other; the memory must not leak from image to image.
    private final class ScratchBox: @unchecked Sendable {
        let lock = NSLock()
        let scratch = ImageScratch()
    }

    /// Crops of all sizes and places, to smaller and to larger images, in colour and grey.
    private static func transforms(upright: Bool) throws -> [TrainingTransform] {
        var transforms: [TrainingTransform] = []
        for (height, width) in [(9, 14), (40, 33), (90, 70)] {
            for interpolation in Interpolation.allCases {
                let crop = RandomResizedCrop(
                    height: height,
                    width: width,
                    scale: 0.02...1,
                    interpolation: interpolation
                )
                for channels in [1, 3] {
                    transforms.append(
                        try TrainingTransform(
                            operations: [
                                .randomResizedCrop(crop), .horizontalFlip(probability: 0.5),
                            ],
                            channels: channels,
                            mean: Array(repeating: 0.4, count: channels),
                            std: Array(repeating: 0.2, count: channels),
                            appliesOrientation: upright
                        )
                    )
                }
            }
        }
        let exact = ImageOperation.resize(
            .exact(height: 20, width: 21),
            interpolation: .bicubic
        )
        let shortest = ImageOperation.resize(.shortestSide(24), interpolation: .bilinear)
        let crop = ImageOperation.randomCrop(RandomCrop(height: 16, width: 16))
        for operations in [[exact], [shortest, crop], [.centerCrop(height: 8, width: 8)]] {
            transforms.append(
                try TrainingTransform(
                    operations: operations,
                    mean: [0, 0, 0],
                    std: [1, 1, 1],
                    appliesOrientation: upright
                )
            )
        }
        return transforms
    }

    private static func processors() throws -> [ImageProcessor] {
        let sizes = [
            (ResizeRule.shortestSide(30), 24), (.exact(height: 40, width: 50), 36),
            (.cover(height: 30, width: 44), 24), (.contain(height: 26, width: 50), 24),
        ]
        var processors: [ImageProcessor] = []
        for (rule, crop) in sizes + [(.shortestSide(20), 28), (.none, 5)] {
            for channels in [1, 3] {
                processors.append(
                    try ImageProcessor(
                        resize: rule,
                        cropHeight: crop,
                        cropWidth: crop,
                        channels: channels,
                        mean: Array(repeating: 0, count: channels),
                        std: Array(repeating: 1, count: channels)
                    )
                )
            }
        }
        return processors
    }

    @Test(arguments: ImageFixtures.index.images)
    func equalsTheWholeImage(_ name: String) throws {
        let bytes = try ImageFixtures.bytes(name)
        try Self.scratch.lock.withLock {
            for options in [
                DecodingOptions(appliesOrientation: false), DecodingOptions(channels: 1),
                DecodingOptions(channels: 3, appliesOrientation: true),
            ] {
                let image = try Image(decoding: bytes, options: options)
                let file = try EncodedImage(bytes, options: options)
                #expect(file.height == image.height && file.width == image.width)
                for processor in try Self.processors() {
                    let expected = try processor.prepare(image)
                    let actual = try processor.seeing(upright: options.appliesOrientation)
                        .prepare(file, scratch: Self.scratch.scratch)
                    expectEqual(actual, expected, "\(name), \(processor.resize)")
                }
                for (seed, transform) in try Self.transforms(upright: options.appliesOrientation)
                    .enumerated()
                {
                    try compare(file, image, transform, seed: UInt64(seed), name)
                }
            }
        }
    }

    private func compare(
        _ file: EncodedImage,
        _ image: Image,
        _ transform: TrainingTransform,
        seed: UInt64,
        _ name: String
    ) throws {
        var one = SplitMix64(seed: seed)
        var other = one
        let actual: Image
        let expected: Image
        do {
            expected = try transform.augment(image, using: &one)
        } catch {
            // An image of one row is too small for some crops, read either way.
            #expect(throws: ImageError.self) {
                try transform.augment(file, using: &other, scratch: Self.scratch.scratch)
            }
            return
        }
        actual = try transform.augment(file, using: &other, scratch: Self.scratch.scratch)
        expectEqual(actual, expected, "\(name), \(transform.operations)")
        #expect(one == other, "the same numbers were drawn")
    }

    @Test func writesTheSameNumbers() throws {
        let bytes = try ImageFixtures.bytes("jpeg-420.jpg")
        let image = try Image(decoding: bytes)
        let file = try EncodedImage(bytes)
        let processor = try ImageProcessor.deit(size: 24)
        let transform = try TrainingTransform.randomResizedCrop(
            matching: processor,
            height: 24,
            width: 24
        )
        for way in [processor, transform] as [any ImageTransform] {
            var one = SplitMix64(seed: 5)
            var other = one
            var expected = [Float](repeating: .nan, count: 3 * 24 * 24)
            var actual = expected
            try expected.withUnsafeMutableBufferPointer {
                try way.write(image, into: $0, using: &one)
            }
            try actual.withUnsafeMutableBufferPointer {
                try way.write(file, into: $0, using: &other, scratch: ImageScratch())
            }
            #expect(actual == expected)
            var small = [Float](repeating: 0, count: 5)
            #expect(throws: ImageError.self) {
                try small.withUnsafeMutableBufferPointer {
                    try way.write(file, into: $0, using: &other, scratch: ImageScratch())
                }
            }
        }
    }

    /// Whether an image can be used must not depend on which part of it a crop asks for.
    @Test(arguments: ["jpeg-420.jpg", "jpeg-progressive.jpg", "jpeg-restart.jpg", "jpeg-444.jpg"])
    func aFileCutShortIsRefusedWhateverIsAskedFor(_ name: String) throws {
        let bytes = try ImageFixtures.bytes(name)
        for length in stride(from: bytes.count - 2, to: bytes.count * 4 / 5, by: -31) {
            let file = try EncodedImage(Array(bytes[..<length]))
            for seed in 0..<6 {
                let crop = RandomResizedCrop(height: 8, width: 8, scale: 0.02...0.1)
                let transform = try TrainingTransform(
                    operations: [.randomResizedCrop(crop)],
                    mean: [0, 0, 0],
                    std: [1, 1, 1]
                )
                var generator = SplitMix64(seed: UInt64(seed))
                let error = #expect(throws: ImageError.self) {
                    try transform.augment(file, using: &generator, scratch: ImageScratch())
                }
                guard case .truncated(.jpeg, _) = error else {
                    Issue.record("\(name), \(length): \(String(describing: error))")
                    return
                }
            }
        }
    }

    @Test(arguments: ImageFixtures.index.images)
    func damagedFilesNeverTrap(_ name: String) throws {
        let bytes = try ImageFixtures.bytes(name)
        let processor = try ImageProcessor.deit(size: 16)
        var generator = SplitMix64(seed: 3)
        for _ in 0..<60 {
            var damaged = bytes
            for _ in 0..<(1 + generator.integer(below: 4)) {
                let at = generator.integer(below: damaged.count)
                damaged[at] = UInt8(truncatingIfNeeded: generator.next())
            }
            do throws(ImageError) {
                let file = try EncodedImage(damaged, options: DecodingOptions(pixelLimit: 1 << 20))
                let image = try processor.prepare(file, scratch: ImageScratch())
                #expect(image.height == 16 && image.width == 16)
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }

    @Test func aBombIsToldFromItsHeader() throws {
        var bytes = try ImageFixtures.bytes("jpeg-444.jpg")
        // The frame's height and width, in the segment SOF0.
        let frame = try #require(
            bytes.indices.dropLast(9).first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xC0 }
        )
        bytes.replaceSubrange((frame + 5)..<(frame + 9), with: [0xEA, 0x60, 0xEA, 0x60])
        let error = #expect(throws: ImageError.self) { try EncodedImage(bytes) }
        #expect(
            error
                == .tooLarge(
                    width: 60_000,
                    height: 60_000,
                    limit: DecodingOptions.defaultPixelLimit
                )
        )
    }

    @Test(.needsShared("data/imagenet-500"))
    func realImagesEqualTheWholeOnes() throws {
        let folder = try #require(Checkout.sharedFile("data/imagenet-500"))
        let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".JPEG") }.sorted()
        try #require(names.count == 500)
        let processor = try ImageProcessor.deit(size: 32)
        let transform = try TrainingTransform.randomResizedCrop(
            matching: processor,
            height: 32,
            width: 32
        )
        let scratch = ImageScratch()
        // Every fifth: debug builds are slow.
        for (index, name) in names.enumerated() where index % 5 == 0 {
            let bytes = try [UInt8](Data(contentsOf: folder.appending(path: name)))
            let image = try Image(decoding: bytes)
            let file = try EncodedImage(bytes)
            expectEqual(
                try processor.prepare(file, scratch: scratch),
                try processor.prepare(image),
                name
            )
            var one = SplitMix64(seed: 1, epoch: 0, index: index)
            var other = one
            expectEqual(
                try transform.augment(file, using: &one, scratch: scratch),
                try transform.augment(image, using: &other),
                name
            )
        }
    }
}
