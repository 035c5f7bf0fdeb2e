import Foundation
import ImagePipeline
import Testing

/// The operations of a transform: probabilities, sizes, bounds.
struct AugmentTests {
    private let image: Image

    init() throws {
        image = try ImageFixtures.pnm("resize-colour.ppm")
    }

    private func results(of operation: ImageOperation, count: Int = 300) throws -> [Image] {
        let transform = try TrainingTransform(
            operations: [operation],
            mean: Normalization.imageNet.mean,
            std: Normalization.imageNet.std
        )
        var generator = SplitMix64(seed: 31)
        return try (0..<count).map { _ in try transform.augment(image, using: &generator) }
    }

    @Test func threeAugmentChoosesOneOfThree() throws {
        var (grey, solarized) = (image, image)
        grey.desaturate()
        solarized.solarize()
        let results = try results(of: .threeAugment(ThreeAugment()))
        let (greys, inverted) = (results.count { $0 == grey }, results.count { $0 == solarized })
        #expect((60...140).contains(greys) && (60...140).contains(inverted))
        let blurred = results.filter { $0 != grey && $0 != solarized }
        #expect((60...140).contains(blurred.count))
        // Few deviations are so small that a blur leaves every byte.
        #expect(blurred.count { $0 == image } < 20)
    }

    @Test func probabilities() throws {
        var (flipped, solarized, grey) = (image, image, image)
        flipped.flipVertically()
        solarized.solarize(threshold: 100)
        grey.desaturate()
        for (operation, expected): (ImageOperation, Image) in [
            (.verticalFlip(probability: 0.25), flipped),
            (.solarize(Solarize(probability: 0.25, threshold: 100)), solarized),
            (.grayscale(probability: 0.25), grey),
        ] {
            let results = try results(of: operation, count: 400)
            #expect(results.allSatisfy { $0 == image || $0 == expected })
            #expect((60...140).contains(results.count { $0 == expected }))
        }
        #expect(
            try results(of: .gaussianBlur(GaussianBlur(probability: 0))).allSatisfy { $0 == image }
        )
        let never = RandomRotation(degrees: 10...20, probability: 0)
        #expect(try results(of: .rotation(never)).allSatisfy { $0 == image })
    }

    @Test func rotationStaysWithinItsAngles() throws {
        let rotation = RandomRotation(degrees: 90...90, interpolation: .bilinear, fill: [7, 8, 9])
        var turned = image
        turned.rotate(degrees: 90, interpolation: .bilinear, fill: [7, 8, 9])
        #expect(try results(of: .rotation(rotation), count: 3).allSatisfy { $0 == turned })
        let results = try results(of: .rotation(RandomRotation(degrees: -30...30)))
        #expect(Set(results.map(\.pixels)).count > 200)
    }

    /// Every operation, through all its draws, keeps the size and is a function of the generator.
    @Test func keepsTheSize() throws {
        let operations: [ImageOperation] = [
            .randAugment(try RandAugment(parsing: "rand-m10-n5-p1-mstd2-inc1")),
            .randAugment(try RandAugment(parsing: "rand-m0-n5-p1")),
            .randAugment(try RandAugment(parsing: "rand-m40-mmax40-n5-p1-inc1")),
            .randAugment(try RandAugment(parsing: "rand-t3aw-n9-p1")),
            .autoAugment(try AutoAugment(parsing: "v0-mstd3")),
            .autoAugment(try AutoAugment(parsing: "original")),
            .colorJitter(ColorJitter(brightness: 2, contrast: 2, saturation: 2, hue: 0.5)),
            .gaussianBlur(GaussianBlur(deviation: 0...256)),
        ]
        for channels in [1, 3] {
            let transform = try TrainingTransform(
                operations: operations,
                channels: channels,
                mean: [Float](repeating: 0.5, count: channels),
                std: [Float](repeating: 0.5, count: channels)
            )
            let small = try Image(height: 1, width: 1, channels: 1, pixels: [77])
            for input in [image, small] {
                for index in 0..<60 {
                    var first = SplitMix64(seed: 3, epoch: 0, index: index)
                    var second = first
                    let result = try transform.augment(input, using: &first)
                    #expect(result.height == input.height && result.width == input.width)
                    #expect(result.channels == channels)
                    #expect(result == (try transform.augment(input, using: &second)))
                    #expect(first == second)
                }
            }
        }
    }

    @Test func hugeArgumentsDoNotTrap() {
        let extremes = [
            Double.infinity, -.infinity, .nan, 1e300, -1e300, .leastNonzeroMagnitude, 1e9,
        ]
        for operation in AugmentOperation.allCases {
            for argument in extremes {
                for interpolation in Interpolation.allCases {
                    var changed = image
                    changed.augment(
                        AugmentStep(operation, argument: argument, interpolation: interpolation),
                        fill: []
                    )
                    #expect(changed.pixels.count == image.pixels.count)
                }
            }
        }
        for argument in extremes {
            var changed = image
            changed.adjustHue(argument)
            changed.blur(deviation: argument)
            changed.transform(
                by: AffineMatrix(xx: 1, xy: argument, x: 0, yx: argument, yy: 1, y: 0),
                interpolation: .nearest
            )
            #expect(changed.pixels.count == image.pixels.count)
        }
    }

    @Test func erasingFollowsNormalisation() throws {
        let transform = try TrainingTransform(
            operations: [],
            mean: Normalization.imageNet.mean,
            std: Normalization.imageNet.std,
            erasing: RandomErasing(probability: 1, mode: .const)
        )
        let plain = try TrainingTransform(
            operations: [],
            mean: Normalization.imageNet.mean,
            std: Normalization.imageNet.std
        )
        let count = image.pixels.count
        var (erased, whole) = (
            [Float](repeating: 9, count: count), [Float](repeating: 9, count: count)
        )
        var generator = SplitMix64(seed: 5)
        try erased.withUnsafeMutableBufferPointer { buffer in
            try transform.write(image, into: buffer, using: &generator)
        }
        try whole.withUnsafeMutableBufferPointer { buffer in
            try plain.write(image, into: buffer, using: &generator)
        }
        let changed = (0..<count).filter { erased[$0] != whole[$0] }
        #expect(!changed.isEmpty && changed.count < count / 2)
        #expect(changed.allSatisfy { erased[$0] == 0 })
        let data = try JSONEncoder().encode(transform)
        #expect(try JSONDecoder().decode(TrainingTransform.self, from: data) == transform)
    }

    @Test func survivesCodingAndRefusesNonsense() throws {
        var badPolicy = AutoAugment(policy: .v0)
        badPolicy.settings.fill = []
        var badBlur = GaussianBlur()
        badBlur.deviation = [1]
        var badAngle = RandomRotation(degrees: 0...1)
        badAngle.degrees = [2, .infinity]
        var badThree = ThreeAugment()
        badThree.threshold = 300
        for operation: ImageOperation in [
            .verticalFlip(probability: -1), .grayscale(probability: .nan),
            .randAugment(RandAugment(magnitude: -1)), .randAugment(RandAugment(layers: 0)),
            .randAugment(RandAugment(probability: 1.1)),
            .randAugment(RandAugment(settings: AugmentSettings(magnitudeStd: .nan))),
            .randAugment(RandAugment(settings: AugmentSettings(magnitudeMax: 0))),
            .autoAugment(badPolicy), .gaussianBlur(badBlur), .rotation(badAngle),
            .threeAugment(badThree), .solarize(Solarize(threshold: -1)),
            .colorJitter(ColorJitter(hue: 0.6)), .colorJitter(ColorJitter(brightness: -0.5)),
            .gaussianBlur(GaussianBlur(deviation: 0...1000)),
        ] {
            #expect(throws: ImageError.self) { try results(of: operation) }
        }
        for erasing in [
            RandomErasing(probability: 2), RandomErasing(count: 0), RandomErasing(minArea: 0.5),
            RandomErasing(minAspect: 0), RandomErasing(maxArea: 2),
        ] {
            #expect(throws: ImageError.self) {
                try TrainingTransform(operations: [], mean: [0], std: [1], erasing: erasing)
            }
            #expect(throws: ImageError.self) {
                try TrainingTransform(
                    operations: [],
                    channels: 1,
                    mean: [0],
                    std: [1],
                    erasing: erasing
                )
            }
        }
        let operations: [ImageOperation] = [
            .randAugment(try RandAugment(parsing: "rand-m9-mstd101-inc1")),
            .autoAugment(AutoAugment(policy: .originalr)), .threeAugment(ThreeAugment()),
            .colorJitter(ColorJitter(0.3)), .grayscale(probability: 0.2),
            .gaussianBlur(GaussianBlur()), .solarize(Solarize()),
            .rotation(RandomRotation(degrees: -5...5)), .verticalFlip(probability: 0.5),
        ]
        let data = try JSONEncoder().encode(operations)
        #expect(try JSONDecoder().decode([ImageOperation].self, from: data) == operations)
    }
}
