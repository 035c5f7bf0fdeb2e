import Foundation
import ImagePipeline
import TestSupport
import Testing

/// Damaged files give an error or an image, never a trap.
struct MalformedImageTests {
    private static let small = DecodingOptions(pixelLimit: 1 << 20)

    @Test func emptyAndForeign() {
        #expect(throws: ImageError.empty) { try Image(decoding: []) }
        #expect(throws: ImageError.notAnImage) {
            try Image(decoding: Array("A text, no image.".utf8))
        }
        #expect(throws: ImageError.notAnImage) { try Image(decoding: [0xFF]) }
    }

    @Test func missingFileAndFolder() {
        for path in ["/nonexistent/image.jpg", "/"] {
            let error = #expect(throws: ImageError.self) { try Image(contentsOf: path) }
            #expect("\(error as Any)".contains(path))
        }
    }

    @Test(arguments: ImageFixtures.index.images)
    func truncatedAtEveryByte(_ name: String) throws {
        let bytes = try ImageFixtures.bytes(name)
        let whole = try Image(decoding: bytes)
        for length in 0..<bytes.count {
            do throws(ImageError) {
                let image = try Image(decoding: Array(bytes[..<length]), options: Self.small)
                // What is missing can only be data after the image.
                #expect(image == whole, "\(name) cut to \(length) bytes")
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }

    @Test(arguments: ["jpeg-420.jpg", "jpeg-progressive.jpg", "png-rgb-8.png", "webp-lossy.webp"])
    func halfAFileIsTruncated(_ name: String) throws {
        let bytes = try ImageFixtures.bytes(name)
        let error = #expect(throws: ImageError.self) {
            try Image(decoding: Array(bytes[..<(bytes.count * 4 / 5)]))
        }
        guard case .truncated = error else {
            Issue.record("\(name): \(String(describing: error))")
            return
        }
    }

    @Test func missingEndMarkerIsFoundBehindAWarning() throws {
        // The stray bytes warn first, and libjpeg keeps only the first warning.
        let bytes = try ImageFixtures.bytes("jpeg-stray-bytes.jpg")
        let error = #expect(throws: ImageError.self) {
            try Image(decoding: Array(bytes.dropLast(2)))
        }
        guard case .truncated(.jpeg, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test(arguments: ImageFixtures.index.images)
    func randomDamage(_ name: String) throws {
        let bytes = try ImageFixtures.bytes(name)
        var generator = SplitMix64(seed: 11, epoch: 0, index: bytes.count)
        for _ in 0..<150 {
            var damaged = bytes
            for _ in 0...generator.integer(below: 4) {
                let at = generator.integer(below: damaged.count)
                switch generator.integer(below: 3) {
                case 0: damaged[at] ^= 1 << UInt8(generator.integer(below: 8))
                case 1: damaged[at] = UInt8(generator.integer(below: 256))
                default: damaged.removeSubrange(at..<min(damaged.count, at + 3))
                }
            }
            do throws(ImageError) {
                let image = try Image(decoding: damaged, options: Self.small)
                #expect(image.pixels.count == image.height * image.width * image.channels)
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }

    @Test func hugeSizesAreRefused() throws {
        // The header of a PNG file asks for 100,000 × 100,000 pixels; its checksum is right.
        var bytes = try ImageFixtures.bytes("png-grey-8.png")
        bytes.replaceSubrange(16..<24, with: [0, 1, 0x86, 0xA0, 0, 1, 0x86, 0xA0])
        bytes.replaceSubrange(29..<33, with: checksum(Array(bytes[12..<29])))
        #expect(
            throws: ImageError.tooLarge(
                width: 100_000,
                height: 100_000,
                limit: DecodingOptions.defaultPixelLimit
            )
        ) { try Image(decoding: bytes) }
    }

    @Test func limitIsInclusive() throws {
        let bytes = try ImageFixtures.bytes("jpeg-444.jpg")
        #expect(throws: Never.self) {
            try Image(decoding: bytes, options: DecodingOptions(pixelLimit: 21 * 13))
        }
        #expect(throws: ImageError.tooLarge(width: 21, height: 13, limit: 21 * 13 - 1)) {
            try Image(decoding: bytes, options: DecodingOptions(pixelLimit: 21 * 13 - 1))
        }
    }

    /// PNG's checksum of a chunk.
    private func checksum(_ bytes: [UInt8]) -> [UInt8] {
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        crc = ~crc
        return (0..<4).map { UInt8(truncatingIfNeeded: crc >> (24 - 8 * UInt32($0))) }
    }
}
