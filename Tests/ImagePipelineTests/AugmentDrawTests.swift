import Foundation
import Testing

@testable import ImagePipeline

/// What is drawn has timm's distributions.
struct AugmentDrawTests {
    /// The images that are drawn for here and that timm drew for.
    private static let (count, timmCount) = (8000.0, 40_000.0)

    /// How often each operation comes, and its arguments' mean, deviation and range, against 40,000 draws of timm's.
    @Test func drawsAreThoseOfTimm() throws {
        for (text, expected) in try AugmentFixtures.load().draws {
            var steps: [String: [AugmentStep]] = [:]
            var generator = SplitMix64(seed: 11)
            let operation = try ImageOperation.augmentation(
                parsing: text,
                mean: Normalization.imageNet.mean,
                interpolation: nil
            )
            for _ in 0..<Int(Self.count) {
                for step in operation.steps(using: &generator) {
                    steps[step.operation.rawValue, default: []].append(step)
                }
            }
            #expect(Set(steps.keys) == Set(expected.keys), "\(text)")
            for (name, steps) in steps {
                compare(steps, try #require(expected[name]), "\(text), \(name)")
            }
        }
    }

    private func compare(_ steps: [AugmentStep], _ timm: AugmentFixtures.Draws, _ what: Comment) {
        let number = Double(steps.count)
        // Five deviations of the difference of two counts, and of two means.
        let counts = 1 / Self.count + 1 / Self.timmCount
        let noise = 5 * (timm.share * counts).squareRoot() + 3 / Self.count
        #expect(abs(number / Self.count - timm.share) < noise, what)
        let values = steps.map(\.argument)
        let mean = values.reduce(0, +) / number
        let spread = 5 * timm.deviation * (counts / timm.share).squareRoot() + 1e-9
        #expect(abs(mean - timm.mean) <= spread, what)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / number
        #expect(abs(variance.squareRoot() - timm.deviation) <= spread, what)
        let room = timm.deviation + 1e-9
        #expect((values.min() ?? .nan) >= timm.least - room, what)
        #expect((values.max() ?? .nan) <= timm.most + room, what)
        let bicubic = Double(steps.count { $0.moves && $0.interpolation == .bicubic }) / number
        #expect(abs(bicubic - timm.bicubic) < 5 / number.squareRoot(), what)
    }

    @Test func aFixedInterpolationIsNeverDrawn() throws {
        let augment = try RandAugment(parsing: "rand-p1-inc1", interpolation: .bicubic)
        var generator = SplitMix64(seed: 2)
        for _ in 0..<500 {
            #expect(augment.draw(using: &generator).allSatisfy { $0.interpolation == .bicubic })
        }
    }

    @Test func erasingHasTimmsAreas() throws {
        for expected in try AugmentFixtures.load().erasing {
            let erasing = RandomErasing(
                probability: expected.probability,
                mode: .const,
                count: expected.count
            )
            let area = Double(expected.height * expected.width)
            var generator = SplitMix64(seed: 12)
            var values = [Float](repeating: 1, count: expected.height * expected.width)
            var shares: [Double] = []
            var rows: [Double] = []
            let draws = 2000
            for _ in 0..<draws {
                for i in values.indices { values[i] = 1 }
                try values.withUnsafeMutableBufferPointer { buffer in
                    try erasing.apply(
                        to: buffer,
                        channels: 1,
                        height: expected.height,
                        width: expected.width,
                        using: &generator
                    )
                }
                shares.append(Double(values.count { $0 == 0 }) / area)
                rows.append(
                    Double(
                        (0..<expected.height).count { y in
                            values[(y * expected.width)..<((y + 1) * expected.width)].contains(0)
                        }
                    )
                )
            }
            let number = Double(draws)
            let untouched = Double(shares.count { $0 == 0 }) / number
            #expect(abs(untouched - expected.untouched) < 0.05)
            // Five deviations of the difference of two means, of 2000 and of 8000.
            let noise = 5 * (1 / number + 1.0 / 8000).squareRoot()
            let (share, lines) = (
                shares.reduce(0, +) / number, rows.reduce(0, +) / number
            )
            #expect(abs(share - expected.share) < noise * expected.shareDeviation)
            #expect(abs(lines - expected.rows) < noise * expected.rowsDeviation)
        }
    }

    @Test func erasedElementsAreWhatTheModeSays() throws {
        let (channels, height, width) = (3, 40, 50)
        for mode in RandomErasing.Mode.allCases {
            let erasing = RandomErasing(probability: 1, mode: mode)
            var generator = SplitMix64(seed: 13)
            for _ in 0..<50 {
                var values = [Float](repeating: 100, count: channels * height * width)
                try values.withUnsafeMutableBufferPointer { buffer in
                    try erasing.apply(
                        to: buffer,
                        channels: channels,
                        height: height,
                        width: width,
                        using: &generator
                    )
                }
                let planes = (0..<channels).map {
                    values[($0 * height * width)..<(($0 + 1) * height * width)].filter { $0 != 100 }
                }
                #expect(Set(planes.map(\.count)).count == 1 && !planes[0].isEmpty)
                switch mode {
                case .const: #expect(planes.allSatisfy { $0.allSatisfy { $0 == 0 } })
                case .rand: #expect(planes.map { Set($0).count } == [1, 1, 1])
                case .pixel: #expect(Set(planes.joined()).count > planes[0].count)
                }
            }
        }
    }

    @Test func noiseIsNormal() {
        var generator = SplitMix64(seed: 14)
        let count = 400_000
        var values = [Float](repeating: 0, count: count)
        values.withUnsafeMutableBufferPointer { NormalNoise.fill($0, using: &generator) }
        let moments = (1...4).map { power in
            values.reduce(0.0) { $0 + pow(Double($1), Double(power)) } / Double(count)
        }
        #expect(abs(moments[0]) < 0.01 && abs(moments[1] - 1) < 0.015)
        #expect(abs(moments[2]) < 0.03 && abs(moments[3] - 3) < 0.1)
        // The distribution function, in the layers and in the tail beyond 3.65.
        for x in [-3.0, -2, -1, -0.5, 0, 0.3, 1, 1.7, 2.5, 3.3] {
            let expected = 0.5 * erfc(-x / 2.0.squareRoot())
            let part = Double(values.count { Double($0) < x }) / Double(count)
            #expect(
                abs(part - expected) < 5 * (expected * (1 - expected) / Double(count)).squareRoot()
            )
        }
        let far = values.count { abs($0) > 3.7 }
        #expect((50...130).contains(far), "86 are expected beyond 3.7, not \(far)")
    }

    @Test func colorJitterDrawsRangesAndOrders() throws {
        let jitter = ColorJitter(brightness: 0.4, contrast: 1.2, saturation: 0.2, hue: 0.1)
        var generator = SplitMix64(seed: 15)
        var orders: [[Int]: Int] = [:]
        var sums: [ColorJitter.Change: Double] = [:]
        let ranges: [ColorJitter.Change: ClosedRange<Double>] = [
            .brightness: 0.6...1.4, .contrast: 0...2.2, .saturation: 0.8...1.2, .hue: -0.1...0.1,
        ]
        for _ in 0..<12_000 {
            let steps = jitter.draw(using: &generator)
            try #require(steps.count == 4)
            orders[steps.map(\.change.rawValue), default: 0] += 1
            for (change, amount) in steps {
                #expect(ranges[change]?.contains(amount) == true)
                sums[change, default: 0] += amount / 12_000
            }
        }
        // Each of the 24 orders comes 500 times, give or take five deviations.
        #expect(orders.count == 24 && orders.values.allSatisfy { abs($0 - 500) < 115 })
        for (change, range) in ranges {
            let middle = (range.lowerBound + range.upperBound) / 2
            let width = range.upperBound - range.lowerBound
            #expect(abs((sums[change] ?? .nan) - middle) < 5 * width / (12.0 * 12_000).squareRoot())
        }
        #expect(ColorJitter(0.3) == ColorJitter(brightness: 0.3, contrast: 0.3, saturation: 0.3))
        #expect(ColorJitter(brightness: 0.4).draw(using: &generator).count == 1)
        #expect(ColorJitter(brightness: 0.4, probability: 0).draw(using: &generator).isEmpty)
    }
}

extension ImageOperation {
    fileprivate func steps(using generator: inout SplitMix64) -> [AugmentStep] {
        switch self {
        case .randAugment(let augment): augment.draw(using: &generator)
        case .autoAugment(let augment): augment.draw(using: &generator)
        default: []
        }
    }
}

extension AugmentStep {
    fileprivate var moves: Bool {
        switch operation {
        case .rotate, .shearX, .shearY, .translateXRel, .translateYRel: true
        default: false
        }
    }
}
