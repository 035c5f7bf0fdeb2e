import ImagePipeline
import TestSupport
import Testing

/// timm's crop modes over sizes, shares and shapes of images, compared with its own transforms by fingerprints.
///
/// `Tools/parity/make_crops.py` made them. Equal ones mean that no byte differs.
@Suite(.tags(.parity)) struct CropModeTests {
    private struct Line {
        let mode: CropMode
        let size: ImageSize
        let share: Double
        let interpolation: Interpolation
        let shape: ImageSize
        let channels: Int
        let print: String

        init(_ text: Substring) throws {
            let words = text.split(separator: " ").map(String.init)
            try #require(words.count == 9)
            let numbers = [1, 2, 5, 6, 7].compactMap { Int(words[$0]) }
            try #require(numbers.count == 5)
            mode = try #require(CropMode(rawValue: words[0]))
            size = ImageSize(height: numbers[0], width: numbers[1])
            share = try #require(Double(words[3]))
            interpolation = try #require(Interpolation(rawValue: words[4]))
            shape = ImageSize(height: numbers[2], width: numbers[3])
            channels = numbers[4]
            print = words[8]
        }

        func processor() throws -> ImageProcessor {
            let isColour = channels == 3
            return try ImageProcessor(
                resize: mode.resize(height: size.height, width: size.width, share: share),
                interpolation: interpolation,
                cropHeight: size.height,
                cropWidth: size.width,
                channels: channels,
                mean: isColour ? Normalization.imageNet.mean : [0.5],
                std: isColour ? Normalization.imageNet.std : [0.5]
            )
        }

        /// Noise that the script makes as well.
        func image() throws -> Image {
            let pixels = (0..<(shape.height * shape.width * channels)).map {
                UInt8(truncatingIfNeeded: ($0 * 2_654_435_761) >> 13)
            }
            return try Image(
                height: shape.height,
                width: shape.width,
                channels: channels,
                pixels: pixels
            )
        }
    }

    private static func lines() throws -> [Line] {
        let bytes = try ImageFixtures.bytes("processors/crops.txt")
        return try String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(Line.init)
    }

    @Test func equalsTimm() throws {
        let lines = try Self.lines()
        #expect(lines.count == 441)
        #expect(Set(lines.map(\.mode)) == Set(CropMode.allCases))
        for line in lines {
            let print = fingerprint(try line.processor().prepare(line.image()))
            #expect(
                print == line.print,
                "\(line.mode) \(line.size) of \(line.shape), share \(line.share): differs from timm's"
            )
        }
    }

    /// A square's shortest side rounds down, another shape's sides to the nearest: both as timm.
    @Test func centerOfASquareIsTheShortestSide() {
        #expect(CropMode.center.resize(height: 224, width: 224, share: 0.9) == .shortestSide(248))
        #expect(
            CropMode.center.resize(height: 224, width: 448, share: 0.9)
                == .cover(height: 248, width: 497)
        )
        #expect(
            CropMode.border.resize(height: 224, width: 224, share: 1)
                == .contain(height: 224, width: 224)
        )
        #expect(
            CropMode.squash.resize(height: 224, width: 448, share: 0.875)
                == .exact(height: 256, width: 512)
        )
    }

    @Test func rulesWithoutASizeAreRefused() throws {
        for rule in [ResizeRule.cover(height: 0, width: 3), .contain(height: 3, width: -1)] {
            #expect(throws: ImageError.self) {
                try ImageProcessor(resize: rule, mean: [0.5], std: [0.5])
            }
        }
        // One row beside a thousand columns would have none left.
        #expect(try ResizeRule.contain(height: 8, width: 8).size(height: 1, width: 1000) == (1, 8))
    }

    /// One row or column made as high as other images would take gigabytes: refused on every way that resizes, by what
    /// it would become, though a crop of it alone would be made.
    @Test func narrowImagesAreRefused() throws {
        let deit = try ImageProcessor.deit()
        let covering = try deit.with(
            resize: .cover(height: 256, width: 512),
            crop: ImageSize(height: 224, width: 448)
        )
        let training = try TrainingTransform(
            operations: [.resize(.shortestSide(224), interpolation: .bicubic)],
            mean: deit.mean,
            std: deit.std
        )
        for (height, width) in [(1, 5_000), (5_000, 1)] {
            let image = try Image(
                height: height,
                width: width,
                channels: 3,
                pixels: [UInt8](repeating: 9, count: 15_000)
            )
            let file = try EncodedImage(image.encodedPNG())
            let short = ImageSize(height: height, width: width)
            let long = ImageSize(
                height: height == 1 ? 256 : 1_280_000,
                width: width == 1 ? 256 : 1_280_000
            )
            let error = ImageError.resizedTooLarge(
                from: short,
                to: long,
                limit: DecodingOptions.defaultPixelLimit
            )
            #expect(throws: error) { try deit.prepare(image) }
            #expect(throws: error) { try deit.prepare(file, scratch: ImageScratch()) }
            #expect(throws: ImageError.self) { try covering.prepare(file, scratch: ImageScratch()) }
            var generator = SplitMix64(seed: 1)
            #expect(throws: ImageError.self) { try training.augment(image, using: &generator) }
            #expect(throws: ImageError.self) {
                try training.augment(file, using: &generator, scratch: ImageScratch())
            }
        }
        let text = ImageError.resizedTooLarge(
            from: ImageSize(height: 5_000, width: 1),
            to: ImageSize(height: 1_280_000, width: 256),
            limit: 9
        ).description
        #expect(text.contains("1 × 5000 pixels (width × height)"))
        #expect(text.contains("256 × 1280000 pixels (width × height)"))
    }

    @Test func sizesAreToldWidthFirst() {
        #expect(
            "\(ImageSize(height: 224, width: 448))" == "448 × 224 pixels (width × height)"
        )
        #expect("\(ImageSize(height: 28, width: 28))" == "28 × 28 pixels")
    }
}
