import ImagePipeline
import Testing

/// An image of many channels goes the way of as many grey ones.
struct ManyChannelTests {
    private static func grey(_ channel: Int, height: Int = 23, width: Int = 31) throws -> Image {
        var generator = SplitMix64(seed: UInt64(channel))
        return try Image(
            height: height,
            width: width,
            channels: 1,
            pixels: (0..<(height * width)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        )
    }

    private static func joined(_ parts: [Image]) throws -> Image {
        var pixels: [UInt8] = []
        for i in parts[0].pixels.indices { pixels += parts.map { $0.pixels[i] } }
        return try Image(
            height: parts[0].height,
            width: parts[0].width,
            channels: parts.count,
            pixels: pixels
        )
    }

    private static func operations() throws -> [ImageOperation] {
        [
            .randomResizedCrop(RandomResizedCrop(height: 16, width: 12)),
            .randomResizedCrop(RandomResizedCrop(height: 40, width: 40, interpolation: .bilinear)),
            .randomResizedCrop(RandomResizedCrop(height: 9, width: 12, interpolation: .nearest)),
            .randomCrop(RandomCrop(height: 16, width: 16, padding: 3, fill: 7)),
            .centerCrop(height: 40, width: 10),
            .horizontalFlip(probability: 1),
            .verticalFlip(probability: 1),
            .solarize(Solarize(probability: 1)),
            .gaussianBlur(GaussianBlur(probability: 1)),
            try .augmentation(
                parsing: "rand-m9-inc1",
                mean: [0.5, 0.5, 0.5],
                interpolation: .bicubic
            ),
        ]
    }

    @Test(arguments: [2, 4, 5, 13])
    func eachChannelIsAGreyImage(channels: Int) throws {
        let parts = try (0..<channels).map { try Self.grey($0) }
        let whole = try Self.joined(parts)
        for operation in try Self.operations().dropLast() {
            func transformed(_ image: Image) throws -> Image {
                let transform = try TrainingTransform(
                    operations: [operation],
                    channels: image.channels,
                    mean: Array(repeating: 0, count: image.channels),
                    std: Array(repeating: 1, count: image.channels)
                )
                var generator = SplitMix64(seed: 4)
                return try transform.augment(image, using: &generator)
            }
            let expected = try Self.joined(try parts.map { try transformed($0) })
            expectEqual(try transformed(whole), expected, "\(operation)")
        }
    }

    @Test(arguments: [2, 4, 5, 13])
    func everyOperationKeepsTheSize(channels: Int) throws {
        let whole = try Self.joined(try (0..<channels).map { try Self.grey($0) })
        let transform = try TrainingTransform(
            operations: Array(try Self.operations().suffix(1)),
            channels: channels,
            mean: Array(repeating: 0, count: channels),
            std: Array(repeating: 1, count: channels),
            erasing: RandomErasing(probability: 1, mode: .pixel)
        )
        for seed in 0..<40 {
            var generator = SplitMix64(seed: UInt64(seed))
            var values = [Float](repeating: .nan, count: whole.pixels.count)
            try values.withUnsafeMutableBufferPointer {
                try transform.write(whole, into: $0, using: &generator)
            }
            #expect(values.allSatisfy { $0.isFinite })
        }
    }

    @Test func channelsAreNotMadeUp() throws {
        let whole = try Self.joined(try (0..<5).map { try Self.grey($0) })
        for wanted in [1, 3, 4] {
            let error = #expect(throws: ImageError.self) {
                try whole.converted(toChannels: wanted)
            }
            #expect("\(error as Any)".contains("5 channels"))
        }
        let grey = try Self.grey(0)
        #expect(throws: ImageError.self) { try grey.converted(toChannels: 5) }
        #expect(throws: ImageError.self) { try whole.encodedPNG() }
        for channels in [0, -1, Image.mostChannels + 1] {
            #expect(throws: ImageError.self) {
                try Image(height: 1, width: 1, channels: channels, pixels: [])
            }
        }
        let processor = try ImageProcessor(
            resize: .shortestSide(8),
            cropHeight: 8,
            cropWidth: 8,
            channels: 5,
            mean: [0, 0.1, 0.2, 0.3, 0.4],
            std: [1, 1, 1, 1, 1]
        )
        let values = try processor(whole).values
        #expect(values.count == 5 * 64)
        #expect(throws: ImageError.self) { try processor.prepare(grey) }
    }
}
