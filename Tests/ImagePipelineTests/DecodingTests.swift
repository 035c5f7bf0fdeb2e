import ImagePipeline
import Testing

struct DecodingTests {
    @Test func fixturesAreThere() {
        #expect(ImageFixtures.index.images.count >= 50)
        #expect(ImageFixtures.index.resizes.count >= 25)
        #expect(ImageFixtures.index.processors.count >= 6)
        #expect(ImageFixtures.index.random.count >= 5)
        #expect(ImageFixtures.index.orientations.count >= 39)
    }

    @Test(arguments: ImageFixtures.index.images)
    func equalsPillow(_ name: String) throws {
        let bytes = try ImageFixtures.bytes(name)
        let color = try ImageFixtures.pnm(name + ".ppm")
        let grey = try ImageFixtures.pnm(name + ".pgm")
        func decoded(_ channels: Int?) throws -> Image {
            // The pixels as they are stored; `orientationEqualsPillow` turns them.
            let options = DecodingOptions(channels: channels, appliesOrientation: false)
            return try Image(decoding: bytes, options: options)
        }
        expectEqual(try decoded(3), color, name)
        expectEqual(try decoded(1), grey, name)
        let native = try decoded(nil)
        expectEqual(native, native.channels == 1 ? grey : color, name)
    }

    @Test func greyFilesStayGrey() throws {
        for name in ["jpeg-grey.jpg", "png-grey-1.png", "png-grey-16.png", "png-grey-alpha-8.png"] {
            #expect(try Image(decoding: try ImageFixtures.bytes(name)).channels == 1)
        }
    }

    @Test func orientationUnlessDeclined() throws {
        let bytes = try ImageFixtures.bytes("jpeg-orientation-6.jpg")
        let stored = try Image(decoding: bytes, options: DecodingOptions(appliesOrientation: false))
        let turned = try Image(decoding: bytes)
        #expect(turned.height == stored.width && turned.width == stored.height)
        // Six asks for a quarter turn clockwise: the first row becomes the last column.
        for x in 0..<stored.width {
            let from = x * 3
            let to = (x * turned.width + turned.width - 1) * 3
            #expect(stored.pixels[from..<(from + 3)] == turned.pixels[to..<(to + 3)])
        }
    }

    /// All orientations in all formats, both byte orders, values of two types, data before and after the image.
    @Test(arguments: ImageFixtures.index.orientations)
    func orientationEqualsPillow(_ name: String) throws {
        let options = DecodingOptions(channels: 3, appliesOrientation: true)
        let turned = try Image(decoding: ImageFixtures.bytes(name), options: options)
        expectEqual(turned, try ImageFixtures.pnm(name + ".turned.ppm"), name)
    }

    @Test(arguments: ImageFixtures.index.orientations)
    func damagedOrientationIsHarmless(_ name: String) throws {
        let bytes = try ImageFixtures.bytes(name)
        let options = DecodingOptions(pixelLimit: 1 << 16, appliesOrientation: true)
        var generator = SplitMix64(seed: 5, epoch: 0, index: bytes.count)
        for length in stride(from: 1, to: bytes.count, by: 3) {
            _ = try? Image(decoding: Array(bytes[..<length]), options: options)
            var damaged = bytes
            damaged[generator.integer(below: bytes.count)] = UInt8(generator.integer(below: 256))
            _ = try? Image(decoding: damaged, options: options)
        }
    }

    @Test func orientationsUndoOneAnother() throws {
        let image = try ImageFixtures.pnm("resize-colour.ppm")
        let inverses = [1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6]
        for (orientation, inverse) in inverses {
            #expect(image.oriented(orientation).oriented(inverse) == image)
        }
        #expect(Set(inverses.keys.map { image.oriented($0).pixels }).count == 8)
        #expect(image.oriented(0) == image && image.oriented(9) == image)
    }

    @Test func formatIsToldByContent() {
        func format(_ bytes: [UInt8]) -> ImageFormat? {
            bytes.withUnsafeBytes { ImageFormat(bytes: $0) }
        }
        #expect(format([0xFF, 0xD8, 0xFF, 0xE0]) == .jpeg)
        #expect(format([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) == .png)
        #expect(format(Array("RIFF1234WEBP".utf8)) == .webp)
        #expect(format(Array("RIFF1234WAVE".utf8)) == nil)
        #expect(format([]) == nil)
    }

    @Test func foreignFormatsAreNamed() {
        let files: [(String, [UInt8])] = [
            ("GIF", Array("GIF89a, not read".utf8)), ("TIFF", [0x49, 0x49, 0x2A, 0, 8, 0, 0, 0]),
            ("HEIF", [0, 0, 0, 24] + Array("ftypheic".utf8)), ("SVG", Array("<svg xmlns".utf8)),
            ("AVIF", [0, 0, 0, 24] + Array("ftypavif".utf8)),
            ("BMP", Array("BM".utf8) + [70, 0, 0, 0] + [UInt8](repeating: 0, count: 24)),
        ]
        for (name, bytes) in files {
            #expect(throws: ImageError.foreignFormat(name)) { try Image(decoding: bytes) }
        }
    }
}
