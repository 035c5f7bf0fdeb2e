import Foundation
import ImagePipeline
import Testing

/// The files that `Tools/parity/make_images.py` made, and the cases among them.
enum ImageFixtures {
    struct Resize: Decodable, Sendable, CustomTestStringConvertible {
        let source: String
        let expected: String
        let interpolation: Interpolation
        let height: Int
        let width: Int
        var testDescription: String { expected }
    }

    struct Processor: Decodable, Sendable, CustomTestStringConvertible {
        let source: String
        let expected: String
        let shortestSide: Int
        let cropHeight: Int
        let cropWidth: Int
        var testDescription: String { expected }
    }

    struct Stream: Decodable, Sendable {
        let seed: String
        let epoch: Int
        let index: Int
        let view: Int
        let values: [String]
    }

    struct Index: Decodable, Sendable {
        var images: [String] = []
        var resizes: [Resize] = []
        var processors: [Processor] = []
        var random: [Stream] = []
        var orientations: [String] = []
    }

    static let folder = Bundle.module.resourceURL?.appending(path: "Fixtures")

    /// Empty where it cannot be read, which a test of its own reports.
    static let index: Index = {
        guard let data = try? bytes("index.json"),
            let index = try? JSONDecoder().decode(Index.self, from: Data(data))
        else { return Index() }
        return index
    }()

    static func bytes(_ name: String) throws -> [UInt8] {
        let folder = try #require(folder)
        return [UInt8](try Data(contentsOf: folder.appending(path: name)))
    }

    /// Reads the binary PPM and PGM files that the script writes.
    static func pnm(_ name: String) throws -> Image {
        let bytes = try bytes(name)
        let lines = bytes.split(separator: 0x0A, maxSplits: 3, omittingEmptySubsequences: false)
        try #require(lines.count == 4)
        let sizes = String(decoding: lines[1], as: UTF8.self).split(separator: " ").compactMap {
            Int($0)
        }
        try #require(sizes.count == 2)
        return try Image(
            height: sizes[1],
            width: sizes[0],
            channels: lines[0].elementsEqual("P6".utf8) ? 3 : 1,
            pixels: Array(lines[3])
        )
    }
}

/// Expects two images to be equal in every byte; tells the largest difference otherwise.
func expectEqual(
    _ actual: Image,
    _ expected: Image,
    _ name: String,
    location: SourceLocation = #_sourceLocation
) {
    guard actual.height == expected.height, actual.width == expected.width,
        actual.channels == expected.channels
    else {
        Issue.record(
            "\(name): \(actual.height) × \(actual.width) × \(actual.channels), expected \(expected.height) × \(expected.width) × \(expected.channels)",
            sourceLocation: location
        )
        return
    }
    let differences = actual.pixels.indices.map {
        abs(Int(actual.pixels[$0]) - Int(expected.pixels[$0]))
    }
    let worst = differences.indices.max { differences[$0] < differences[$1] }
    guard let worst, differences[worst] > 0 else { return }
    Issue.record(
        "\(name): \(differences.count { $0 > 0 }) of \(differences.count) samples differ, most at \(worst): \(actual.pixels[worst]), expected \(expected.pixels[worst])",
        sourceLocation: location
    )
}
