import Foundation
import ImagePipeline
import Testing

struct TrainingTransformTests {
    private let statistics = Normalization.imageNet

    @Test func resultIsAFunctionOfTheGenerator() throws {
        let image = try ImageFixtures.pnm("resize-colour.ppm")
        let transform = try TrainingTransform.randomResizedCrop(
            matching: try ImageProcessor.deit(size: 16),
            height: 16,
            width: 12
        )
        var results: Set<[UInt8]> = []
        for index in 0..<20 {
            var first = SplitMix64(seed: 1, epoch: 2, index: index, view: 0)
            var second = first
            let augmented = try transform.augment(image, using: &first)
            #expect(augmented == (try transform.augment(image, using: &second)))
            #expect(augmented.height == 16 && augmented.width == 12)
            results.insert(augmented.pixels)
        }
        #expect(results.count == 20)
    }

    @Test func randomResizedCropKeepsItsBounds() {
        let crop = RandomResizedCrop(height: 8, width: 8, scale: 0.1...0.6, ratio: 0.5...2)
        var generator = SplitMix64(seed: 4)
        var areas: [Double] = []
        for _ in 0..<3000 {
            let part = crop.region(height: 300, width: 400, using: &generator)
            #expect(part.top >= 0 && part.left >= 0)
            #expect(part.top + part.height <= 300 && part.left + part.width <= 400)
            let area = Double(part.height * part.width) / 120_000
            let shape = Double(part.width) / Double(part.height)
            #expect((0.097...0.603).contains(area))
            #expect((0.49...2.05).contains(shape))
            areas.append(area)
        }
        // The area is uniform but for the few refused tries.
        #expect(abs(areas.reduce(0, +) / 3000 - 0.35) < 0.02)
    }

    @Test func randomResizedCropFallsBackToTheMiddle() {
        var generator = SplitMix64(seed: 5)
        let crop = RandomResizedCrop(height: 8, width: 8, scale: 1...1)
        // No part of the whole area has an allowed shape: the nearest one in the middle is taken.
        #expect(
            crop.region(height: 10, width: 100, using: &generator)
                == Region(top: 0, left: 43, height: 10, width: 13)
        )
        #expect(
            crop.region(height: 100, width: 10, using: &generator)
                == Region(top: 43, left: 0, height: 13, width: 10)
        )
        #expect(
            crop.region(height: 1, width: 1, using: &generator)
                == Region(top: 0, left: 0, height: 1, width: 1)
        )
    }

    @Test func randomCropShiftsByUpToTheBorder() throws {
        let image = try ImageFixtures.pnm("resize-grey.pgm")
        let transform = try TrainingTransform(
            operations: [
                .randomCrop(
                    RandomCrop(height: image.height, width: image.width, padding: 2, fill: 7)
                )
            ],
            channels: 1,
            mean: [0],
            std: [1]
        )
        let padded = try image.padded(top: 2, left: 2, bottom: 2, right: 2, fill: 7)
        var possible: Set<[UInt8]> = []
        for top in 0...4 {
            for left in 0...4 {
                let part = Region(top: top, left: left, height: image.height, width: image.width)
                possible.insert(try padded.cropped(to: part).pixels)
            }
        }
        var seen: Set<[UInt8]> = []
        var generator = SplitMix64(seed: 6)
        for _ in 0..<300 { seen.insert(try transform.augment(image, using: &generator).pixels) }
        #expect(seen == possible)
    }

    @Test func aMirroredBorderIsCroppedToo() throws {
        let image = try ImageFixtures.pnm("resize-colour.ppm")
        let crop = RandomCrop(height: 20, width: 24, padding: 4, border: .reflect)
        let whole = try image.reflected(by: 4)
        let transform = try TrainingTransform(
            operations: [.randomCrop(crop)],
            mean: statistics.mean,
            std: statistics.std
        )
        var generator = SplitMix64(seed: 6)
        for _ in 0..<50 {
            let part = try transform.augment(image, using: &generator)
            let places = try (0...(whole.height - 20)).contains { top in
                try (0...(whole.width - 24)).contains { left in
                    try whole.cropped(to: Region(top: top, left: left, height: 20, width: 24))
                        == part
                }
            }
            #expect(places)
        }
    }

    @Test func aCropDrawsItsInterpolationWhereNoneIsGiven() throws {
        let image = try ImageFixtures.pnm("resize-colour.ppm")
        var kinds: [Interpolation: Int] = [:]
        for index in 0..<200 {
            var first = SplitMix64(seed: 9, epoch: 0, index: index)
            let drawn = try TrainingTransform(
                operations: [
                    .randomResizedCrop(RandomResizedCrop(height: 8, width: 8, interpolation: nil))
                ],
                mean: statistics.mean,
                std: statistics.std
            )
            let result = try drawn.augment(image, using: &first)
            for interpolation in [Interpolation.bilinear, .bicubic] {
                var second = SplitMix64(seed: 9, epoch: 0, index: index)
                let crop = RandomResizedCrop(height: 8, width: 8)
                let part = crop.region(
                    height: image.height,
                    width: image.width,
                    using: &second
                )
                let expected = try image.resized(
                    height: 8,
                    width: 8,
                    interpolation: interpolation,
                    region: part
                )
                if expected == result { kinds[interpolation, default: 0] += 1 }
            }
        }
        #expect((kinds[.bilinear] ?? 0) > 60 && (kinds[.bicubic] ?? 0) > 60)
    }

    @Test func flipHasItsProbability() throws {
        let image = try ImageFixtures.pnm("resize-colour.ppm")
        let mirrored = image.flippedHorizontally()
        #expect(mirrored != image && mirrored.flippedHorizontally() == image)
        for (probability, expected) in [(0.0, 0...0), (1.0, 400...400), (0.25, 60...140)] {
            let transform = try TrainingTransform(
                operations: [.horizontalFlip(probability: probability)],
                mean: statistics.mean,
                std: statistics.std
            )
            var generator = SplitMix64(seed: 7)
            var count = 0
            for _ in 0..<400 where try transform.augment(image, using: &generator) == mirrored {
                count += 1
            }
            #expect(expected.contains(count))
        }
    }

    @Test func tooSmallForTheCrop() throws {
        let image = try ImageFixtures.pnm("resize-grey.pgm")
        let transform = try TrainingTransform(
            operations: [.randomCrop(RandomCrop(height: 64, width: 64, padding: 4))],
            channels: 1,
            mean: [0],
            std: [1]
        )
        var generator = SplitMix64(seed: 8)
        #expect(throws: ImageError.self) { try transform.augment(image, using: &generator) }
    }

    @Test func survivesCodingAndRefusesNonsense() throws {
        let transform = try TrainingTransform.randomCrop(
            matching: try ImageProcessor.deit(size: 32),
            height: 32,
            width: 32,
            padding: 4
        )
        let data = try JSONEncoder().encode(transform)
        #expect(try JSONDecoder().decode(TrainingTransform.self, from: data) == transform)
        for operation: ImageOperation in [
            .horizontalFlip(probability: 1.5), .horizontalFlip(probability: .nan),
            .centerCrop(height: 0, width: 3), .resize(.shortestSide(-1), interpolation: .bicubic),
            .randomCrop(RandomCrop(height: 4, width: 4, padding: -1)),
            .randomResizedCrop(RandomResizedCrop(height: 4, width: 4, scale: 0...1)),
            .randomResizedCrop(RandomResizedCrop(height: 4, width: 4, ratio: 0...1)),
        ] {
            #expect(throws: ImageError.self) {
                try TrainingTransform(
                    operations: [operation],
                    mean: statistics.mean,
                    std: statistics.std
                )
            }
        }
    }
}
