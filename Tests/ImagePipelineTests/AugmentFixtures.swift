import Foundation
import ImagePipeline
import Testing

/// What `Tools/parity/make_augment.py` made of Pillow, timm and torchvision.
struct AugmentFixtures: Decodable, Sendable {
    struct Case: Decodable, Sendable {
        let name: String
        let argument: Double
        let interpolation: Interpolation?

        var description: String { "\(name) \(argument) \(interpolation?.rawValue ?? "")" }

        /// The image after the case.
        func applied(to image: Image, fill: [UInt8]) throws -> Image {
            var image = image
            switch name {
            case "hue": image.adjustHue(argument)
            case "mirror": image = image.flippedHorizontally()
            case "flip": image.flipVertically()
            case "grey": image.desaturate()
            default:
                let operation = try #require(AugmentOperation(rawValue: name))
                let step = AugmentStep(
                    operation,
                    argument: argument,
                    interpolation: interpolation ?? .bicubic
                )
                image.augment(step, fill: image.channels == 3 ? fill : [fill[1]])
            }
            return image
        }
    }

    struct Levels: Decodable, Sendable {
        struct Row: Decodable, Sendable {
            let name: String
            let negated: Bool
            let values: [Double]
        }
        let magnitudes: [Double]
        let rows: [Row]
    }

    struct Meaning: Decodable, Sendable {
        let text: String
        let magnitude: Double
        let layers: Int
        let probability: Double
        let magnitudeStd: Double
        let magnitudeMax: Double
        let operations: [AugmentOperation]
        let weights: [Double]?
    }

    struct Draws: Decodable, Sendable {
        let share: Double
        let mean: Double
        let deviation: Double
        let least: Double
        let most: Double
        let bicubic: Double
    }

    struct Erasing: Decodable, Sendable {
        let height: Int
        let width: Int
        let probability: Double
        let count: Int
        let untouched: Double
        let share: Double
        let shareDeviation: Double
        let rows: Double
        let rowsDeviation: Double
    }

    struct Mixed: Decodable, Sendable {
        struct Mix: Decodable, Sendable {
            let share: Double
            let box: [Int]?
        }
        let mode: Mixing.Mode
        let count: Int
        let channels: Int
        let height: Int
        let width: Int
        let classes: Int
        let smoothing: Double
        let labels: [Int]
        let mixes: [Mix]
        let values: String
        let targets: [UInt32]
    }

    struct Box: Decodable, Sendable {
        let height: Int
        let width: Int
        let share: Double
        let single: Bool
        let middle: [Int]
        let box: [Int]
    }

    struct Beta: Decodable, Sendable {
        struct Row: Decodable, Sendable {
            let alpha: Double
            let values: [Double]
        }
        let parts: [Double]
        let rows: [Row]
    }

    struct Reflection: Decodable, Sendable {
        let height: Int
        let width: Int
        let channels: Int
        let border: Int
        let pixels: String
    }

    /// A part of a policy: name, probability, magnitude.
    struct PolicyStep: Decodable, Sendable {
        let name: String
        let probability: Double
        let magnitude: Double

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            name = try container.decode(String.self)
            probability = try container.decode(Double.self)
            magnitude = try container.decode(Double.self)
        }
    }

    let fill: [UInt8]
    let sizes: [[Int]]
    let stride: Int
    let cases: [Case]
    let levels: Levels
    let notations: [Meaning]
    let policies: [String: [[PolicyStep]]]
    let draws: [String: [String: Draws]]
    let erasing: [Erasing]
    let mixes: [Mixed]
    let boxes: [Box]
    let beta: Beta
    let reflections: [Reflection]

    static func load() throws -> AugmentFixtures {
        let data = Data(try ImageFixtures.bytes("augment/index.json"))
        return try JSONDecoder().decode(AugmentFixtures.self, from: data)
    }

    static func lines(of name: String) throws -> [[String]] {
        let text = String(decoding: try ImageFixtures.bytes("augment/\(name)"), as: UTF8.self)
        return text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    }

    /// Noise that the script makes as well.
    static func madeUp(height: Int, width: Int, channels: Int) throws -> Image {
        try Image(
            height: height,
            width: width,
            channels: channels,
            pixels: (0..<(height * width * channels)).map {
                UInt8(truncatingIfNeeded: ($0 * 2_654_435_761) >> 13)
            }
        )
    }

    /// The image of a line, brought to the size that belongs to a number.
    func photograph(_ synset: String, size number: Int, in folder: URL) throws -> Image {
        let files = try FileManager.default.contentsOfDirectory(
            atPath: folder.appending(path: synset).path
        )
        try #require(files.count == 1)
        let size = sizes[number % sizes.count]
        return try Image(
            contentsOf: folder.appending(path: "\(synset)/\(files[0])").path,
            options: DecodingOptions(channels: 3)
        )
        .resized(height: size[0], width: size[1], interpolation: .bicubic)
    }
}
