import Foundation
import ImagePipeline
import Testing

struct ProcessorTests {
    @Test(arguments: ImageFixtures.index.processors)
    func resizeAndCropEqualTorchvision(_ fixture: ImageFixtures.Processor) throws {
        let processor = try ImageProcessor(
            resize: .shortestSide(fixture.shortestSide),
            cropHeight: fixture.cropHeight,
            cropWidth: fixture.cropWidth,
            mean: Normalization.imageNet.mean,
            std: Normalization.imageNet.std
        )
        let source = try ImageFixtures.pnm(fixture.source)
        let expected = try ImageFixtures.pnm(fixture.expected)
        expectEqual(try processor.prepare(source), expected, fixture.expected)

        let (values, height, width) = try processor(source)
        #expect(height == fixture.cropHeight && width == fixture.cropWidth)
        let plane = height * width
        #expect(values.count == 3 * plane)
        let table = try normalisedTable()
        for c in 0..<3 {
            for i in 0..<plane {
                let expectedValue = table[c * 256 + Int(expected.pixels[3 * i + c])]
                #expect(values[c * plane + i].bitPattern == expectedValue.bitPattern)
            }
        }
    }

    @Test func deitDefaults() throws {
        #expect(try ImageProcessor.deit().resize == .shortestSide(256))
        // int(384 / 0.875) is 438: truncated, not rounded.
        let large = try ImageProcessor.deit(size: 384)
        #expect(large.resize == .shortestSide(438))
        #expect(large.cropHeight == 384 && large.cropWidth == 384 && large.channels == 3)
        #expect(throws: ImageError.self) { try ImageProcessor.deit(size: 0) }
        #expect(throws: ImageError.self) { try ImageProcessor.deit(size: .max) }
    }

    @Test func wholeImagesAreUntouchedAtTheirSize() throws {
        let grey = try ImageFixtures.pnm("resize-grey.pgm")
        let processor = try ImageProcessor.whole(
            height: grey.height,
            width: grey.width,
            channels: 1,
            mean: [0],
            std: [1]
        )
        #expect(try processor.prepare(grey) == grey)
        #expect(try processor(grey).values == grey.pixels.map { Float($0) / 255 })
        let half = try ImageProcessor.whole(
            height: 14,
            width: 18,
            channels: 3,
            mean: [0, 0, 0],
            std: [1, 1, 1]
        )
        #expect(try half.prepare(grey).pixels.count == 14 * 18 * 3)
    }

    @Test func greyImagesFillThreeChannels() throws {
        let grey = try ImageFixtures.pnm("resize-grey.pgm")
        let processor = try ImageProcessor.deit(size: 16)
        let (values, _, _) = try processor(grey)
        #expect(values == (try processor(try grey.converted(toChannels: 3)).values))
    }

    @Test func survivesCoding() throws {
        for processor in [
            try ImageProcessor.deit(),
            try ImageProcessor(
                resize: .none,
                interpolation: .nearest,
                channels: 1,
                mean: [0.5],
                std: [0.25]
            ),
            try ImageProcessor.whole(height: 28, width: 30, channels: 1, mean: [0.5], std: [0.25]),
        ] {
            let data = try JSONEncoder().encode(processor)
            #expect(try JSONDecoder().decode(ImageProcessor.self, from: data) == processor)
        }
    }

    @Test func refusesNonsense() throws {
        let (mean, std) = ([Float](repeating: 0, count: 3), [Float](repeating: 1, count: 3))
        #expect(throws: ImageError.self) {
            try ImageProcessor(resize: .shortestSide(0), mean: mean, std: std)
        }
        #expect(throws: ImageError.self) {
            try ImageProcessor(resize: .exact(height: 4, width: -4), mean: mean, std: std)
        }
        #expect(throws: ImageError.self) {
            try ImageProcessor(resize: .none, cropHeight: 4, mean: mean, std: std)
        }
        #expect(throws: ImageError.self) { try ImageProcessor(resize: .none, mean: [0], std: std) }
        #expect(throws: ImageError.self) {
            try ImageProcessor(resize: .none, channels: 1, mean: mean, std: std)
        }
        #expect(throws: ImageError.self) {
            try ImageProcessor(resize: .none, mean: mean, std: [1, 0, 1])
        }
        #expect(throws: ImageError.self) {
            try ImageProcessor(resize: .none, mean: [0, .nan, 0], std: std)
        }
        let broken =
            #"{"resize":{"none":{}},"interpolation":"bicubic","channels":3,"mean":[0],"std":[1]}"#
        #expect(throws: (any Error).self) {
            try JSONDecoder().decode(ImageProcessor.self, from: Data(broken.utf8))
        }
    }

    @Test func refusesABufferOfAnotherSize() throws {
        let image = try ImageFixtures.pnm("resize-colour.ppm")
        let processor = try ImageProcessor.deit(size: 8)
        var values = [Float](repeating: 0, count: 3 * 64 - 1)
        values.withUnsafeMutableBufferPointer { buffer in
            _ = #expect(throws: ImageError.self) { try processor.write(image, into: buffer) }
        }
    }

    private func normalisedTable() throws -> [Float] {
        let bytes = try ImageFixtures.bytes("normalised.f32")
        try #require(bytes.count == 4 * 768)
        return (0..<768).map { i in
            Float(
                bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[4 * i + $1]) << (8 * UInt32($1)) }
            )
        }
    }
}
