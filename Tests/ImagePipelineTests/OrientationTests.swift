import Foundation
import ImagePipeline
import Testing

/// Files of all orientations on the ways of training and of evaluation: as Pillow's `ImageOps.exif_transpose` and then
/// the transform, byte for byte, whatever the file's own options say.
struct OrientationTests {
    private static let rules: [ResizeRule] = [
        .shortestSide(20), .exact(height: 18, width: 31), .cover(height: 16, width: 30),
        .contain(height: 30, width: 16), .none,
    ]

    private func processor(_ rule: ResizeRule, upright: Bool) throws -> ImageProcessor {
        try ImageProcessor(
            resize: rule,
            cropHeight: rule == .none ? nil : 16,
            cropWidth: rule == .none ? nil : 24,
            mean: [0.4, 0.5, 0.6],
            std: [0.2, 0.2, 0.2],
            appliesOrientation: upright
        )
    }

    private func transforms(upright: Bool) throws -> [TrainingTransform] {
        let resized = RandomResizedCrop(height: 14, width: 19, scale: 0.1...0.8)
        let lists: [[ImageOperation]] = [
            [.randomResizedCrop(resized), .horizontalFlip(probability: 0.5)],
            [
                .resize(.shortestSide(22), interpolation: .bicubic),
                .randomCrop(RandomCrop(height: 16, width: 16, padding: 4, border: .reflect)),
            ],
            [.centerCrop(height: 12, width: 15)],
        ]
        return try lists.map {
            try TrainingTransform(
                operations: $0,
                mean: [0, 0, 0],
                std: [1, 1, 1],
                appliesOrientation: upright
            )
        }
    }

    /// The file as each of the dataset's options has it, which must not matter.
    private func files(_ name: String) throws -> [EncodedImage] {
        let bytes = try ImageFixtures.bytes(name)
        return try [true, false].map {
            try EncodedImage(bytes, options: DecodingOptions(appliesOrientation: $0))
        }
    }

    private func numbers(
        _ count: Int,
        _ write: (UnsafeMutableBufferPointer<Float>) throws -> Void
    ) throws -> [Float] {
        var values = [Float](repeating: .nan, count: count)
        try values.withUnsafeMutableBufferPointer { try write($0) }
        return values
    }

    @Test(arguments: ImageFixtures.index.orientations)
    func evaluation(_ name: String) throws {
        let upright = try ImageFixtures.pnm(name + ".turned.ppm")
        let stored = try Image(
            decoding: ImageFixtures.bytes(name),
            options: DecodingOptions(channels: 3, appliesOrientation: false)
        )
        for file in try files(name) {
            for rule in Self.rules {
                for (isUpright, image) in [(true, upright), (false, stored)] {
                    let processor = try processor(rule, upright: isUpright)
                    let seen = file.seen(upright: isUpright)
                    let size = try processor.outputSize(height: seen.height, width: seen.width)
                    let expected = try processor.prepare(image)
                    expectEqual(
                        try processor.prepare(file, scratch: ImageScratch()),
                        expected,
                        "\(name) \(rule) \(isUpright)"
                    )
                    #expect(size == (expected.height, expected.width))
                    let count = 3 * size.height * size.width
                    var generator = SplitMix64(seed: 1)
                    let actual = try numbers(count) {
                        try processor.write(
                            file,
                            into: $0,
                            using: &generator,
                            scratch: ImageScratch()
                        )
                    }
                    #expect(actual == (try processor(image).values), "\(name) \(rule)")
                }
            }
        }
    }

    @Test(arguments: ImageFixtures.index.orientations)
    func training(_ name: String) throws {
        let upright = try ImageFixtures.pnm(name + ".turned.ppm")
        let stored = try Image(
            decoding: ImageFixtures.bytes(name),
            options: DecodingOptions(channels: 3, appliesOrientation: false)
        )
        for file in try files(name) {
            for (isUpright, image) in [(true, upright), (false, stored)] {
                let transforms = try transforms(upright: isUpright)
                for transform in transforms {
                    var one = SplitMix64(seed: 7)
                    var other = one
                    expectEqual(
                        try transform.augment(file, using: &one, scratch: ImageScratch()),
                        try transform.augment(image, using: &other),
                        "\(name) \(transform.operations) \(isUpright)"
                    )
                    #expect(one == other, "the same numbers were drawn")
                }
                let crops = try MultiCrop([transforms[0], transforms[0]])
                #expect(crops.appliesOrientation == isUpright)
                var one = SplitMix64(seed: 3)
                var other = one
                let fromFile = try numbers(crops.count) {
                    try crops.write(file, into: $0, using: &one, scratch: ImageScratch())
                }
                let fromImage = try numbers(crops.count) {
                    try crops.write(image, into: $0, using: &other)
                }
                #expect(fromFile == fromImage, "\(name) \(isUpright)")
            }
        }
    }

    /// The fixtures tell the two ways apart: without that, the tests above would hold of any rule.
    @Test func theFixturesAreTurned() throws {
        var orientations = 0
        for name in ImageFixtures.index.orientations {
            let files = try files(name)
            if try files[0].decoded() != files[1].decoded() { orientations += 1 }
            #expect(try files[0].seen(upright: false).decoded() == files[1].decoded())
            #expect(try files[1].seen(upright: true).decoded() == files[0].decoded())
        }
        #expect(orientations >= 21, "seven orientations of three formats")
    }

    @Test func cropsAgreeOnTheRule() throws {
        let mixed = try transforms(upright: true).prefix(1) + transforms(upright: false).prefix(1)
        #expect(throws: ImageError.self) { try MultiCrop(Array(mixed)) }
    }

    /// What was written before there was a rule was made of files as they are stored.
    @Test func oldTransformsSawFilesAsStored() throws {
        for upright in [true, false] {
            let transform = try transforms(upright: upright)[0]
            let processor = try processor(.shortestSide(20), upright: upright)
            let encoder = JSONEncoder()
            // The key comes first then, with a comma after it.
            encoder.outputFormatting = .sortedKeys
            let written = try (encoder.encode(transform), encoder.encode(processor))
            #expect(try JSONDecoder().decode(TrainingTransform.self, from: written.0) == transform)
            #expect(try JSONDecoder().decode(ImageProcessor.self, from: written.1) == processor)
            func old(_ data: Data) throws -> Data {
                let text = String(decoding: data, as: UTF8.self)
                let less = text.replacing(#""appliesOrientation":\#(upright),"#, with: "")
                try #require(less != text)
                return Data(less.utf8)
            }
            let read = try JSONDecoder().decode(TrainingTransform.self, from: old(written.0))
            #expect(!read.appliesOrientation)
            let other = try JSONDecoder().decode(ImageProcessor.self, from: old(written.1))
            #expect(!other.appliesOrientation)
        }
    }
}
