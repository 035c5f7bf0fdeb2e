import Foundation
import Testing

@testable import ImagePipeline

struct MixingTests {
    /// The numbers that the script mixes as well.
    private func values(_ count: Int) -> [Float] {
        (0..<count).map { Float((($0 * 2_654_435_761) >> 11) % 4001 - 2000) / 512 }
    }

    /// What timm drew, carried out here: every number of batch and targets has timm's bits.
    @Test func batchesAreThoseOfTimm() throws {
        let mixes = try AugmentFixtures.load().mixes
        #expect(mixes.count == 60)
        for (number, expected) in mixes.enumerated() {
            let drawn = expected.mixes.map { mix -> MixingPlan.Mix in
                let single = expected.mode != .batch
                guard let box = mix.box else {
                    return mix.share == 1 ? .none : .init(share: mix.share, single: single)
                }
                return .init(
                    box: Region(top: box[0], left: box[1], height: box[2], width: box[3]),
                    height: expected.height,
                    width: expected.width,
                    single: single
                )
            }
            let all: [MixingPlan.Mix]
            switch expected.mode {
            case .batch: all = try Array(repeating: #require(drawn.first), count: expected.count)
            case .pair: all = drawn + drawn.reversed()
            case .elem: all = drawn
            }
            try #require(all.count == expected.count)
            let plan = MixingPlan(mixes: all, height: expected.height, width: expected.width)
            var batch = values(
                expected.count * expected.channels * expected.height * expected.width
            )
            try plan.apply(to: &batch, channels: expected.channels)
            #expect(batch.withUnsafeBytes(fingerprint) == expected.values, "batch \(number)")
            let targets = try plan.targets(
                labels: expected.labels,
                classes: expected.classes,
                smoothing: expected.smoothing
            )
            #expect(targets.map(\.bitPattern) == expected.targets, "targets \(number)")
        }
    }

    @Test func boxesAreThoseOfTimm() throws {
        for expected in try AugmentFixtures.load().boxes {
            let box = MixingPlan.box(
                share: expected.share,
                centerRow: expected.middle[0],
                centerColumn: expected.middle[1],
                height: expected.height,
                width: expected.width,
                single: expected.single
            )
            #expect([box.top, box.left, box.height, box.width] == expected.box)
        }
    }

    @Test func sharesAreBeta() throws {
        let beta = try AugmentFixtures.load().beta
        for row in beta.rows {
            var generator = SplitMix64(seed: 21)
            let drawn = (0..<20_000).map { _ in generator.beta(row.alpha) }
            #expect(drawn.allSatisfy { (0...1).contains($0) })
            try #require(row.values.count == beta.parts.count)
            for (part, value) in zip(beta.parts, row.values) {
                let below = Double(drawn.count { $0 < value }) / 20_000
                #expect(abs(below - part) < 5 * (part * (1 - part) / 20_000).squareRoot() + 0.001)
            }
        }
    }

    @Test(arguments: Mixing.Mode.allCases, [1, 2, 5, 8])
    func everyImageHasItsPartner(_ mode: Mixing.Mode, _ count: Int) throws {
        let (height, width) = (9, 11)
        var generator = SplitMix64(seed: 22)
        var (mixups, cutmixes) = (0, 0)
        for round in 0..<200 {
            let mixing = Mixing(mode: mode)
            let plan = try mixing.plan(
                count: count,
                height: height,
                width: width,
                using: &generator
            )
            try #require(plan.count == count)
            var batch = (0..<(count * height * width)).map { Float($0 / (height * width)) }
            try plan.apply(to: &batch, channels: 1)
            let labels = (0..<count).map { ($0 + round) % 10 }
            let targets = try plan.targets(labels: labels, classes: 10, smoothing: 0)
            for i in 0..<count {
                let own = plan.mixes[i].own
                let image = batch[(i * height * width)..<((i + 1) * height * width)]
                let partner = count - 1 - i
                // The share of the target is the share of the image's sum.
                let mean = image.reduce(0, +) / Float(height * width)
                #expect(abs(mean - (own * Float(i) + (1 - own) * Float(partner))) < 1e-4)
                let target = targets[(i * 10)..<((i + 1) * 10)]
                #expect(abs(target.reduce(0, +) - 1) < 1e-6)
                #expect(abs(targets[i * 10 + labels[i]] - (i == partner ? 1 : own)) < 1e-6)
                if mode != .elem { #expect(plan.mixes[i] == plan.mixes[partner] || i == partner) }
                if i != partner {
                    if plan.mixes[i].box == nil { mixups += 1 } else { cutmixes += 1 }
                }
            }
            if count % 2 == 1 { #expect(plan.mixes[count / 2] == .none) }
        }
        if count > 1 { #expect(mixups > 50 * count && cutmixes > 50 * count) }
    }

    @Test func probabilitiesAndBounds() throws {
        var generator = SplitMix64(seed: 23)
        let never = try Mixing(probability: 0).plan(
            count: 4,
            height: 8,
            width: 8,
            using: &generator
        )
        #expect(never.mixes.allSatisfy { $0 == .none })
        var batch = values(4 * 64)
        try never.apply(to: &batch, channels: 1)
        #expect(batch == values(4 * 64))
        let bounded = Mixing(
            mixupAlpha: 0,
            cutmixAlpha: 0,
            cutmixMinMax: [0.25, 0.75],
            mode: .elem
        )
        let plan = try bounded.plan(count: 2000, height: 20, width: 40, using: &generator)
        for mix in plan.mixes {
            let box = try #require(mix.box)
            #expect((5..<15).contains(box.height) && (10..<30).contains(box.width))
            #expect(box.top >= 0 && box.top + box.height <= 20)
            #expect(box.left >= 0 && box.left + box.width <= 40)
            #expect(abs(mix.own - (1 - Float(box.height * box.width) / 800)) < 1e-6)
        }
        #expect(Set(plan.mixes.compactMap { $0.box?.height }) == Set(5..<15))
    }

    @Test func onlyOneKindWhereTheOtherIsOff() throws {
        var generator = SplitMix64(seed: 24)
        let mixup = Mixing(cutmixAlpha: 0, switchProbability: 1, mode: .elem)
        #expect(
            try mixup.plan(count: 50, height: 8, width: 8, using: &generator).mixes
                .allSatisfy { $0.box == nil }
        )
        let cutmix = Mixing(mixupAlpha: 0, switchProbability: 0, mode: .elem)
        #expect(
            try cutmix.plan(count: 50, height: 8, width: 8, using: &generator).mixes
                .allSatisfy { $0.box != nil }
        )
    }

    @Test func refusesNonsense() throws {
        var generator = SplitMix64(seed: 25)
        for mixing in [
            Mixing(mixupAlpha: 0, cutmixAlpha: 0), Mixing(mixupAlpha: -1),
            Mixing(cutmixAlpha: .nan), Mixing(cutmixMinMax: [0.5]),
            Mixing(cutmixMinMax: [0.8, 0.2]), Mixing(cutmixMinMax: [0, 1.5]),
            Mixing(probability: 2), Mixing(switchProbability: -0.1),
        ] {
            #expect(throws: ImageError.self) {
                try mixing.plan(count: 4, height: 8, width: 8, using: &generator)
            }
        }
        let mixing = Mixing()
        for (count, height, width) in [(-1, 8, 8), (4, 0, 8), (4, 8, -2), (4, Int.max, 2)] {
            #expect(throws: ImageError.self) {
                try mixing.plan(count: count, height: height, width: width, using: &generator)
            }
        }
        let plan = try mixing.plan(count: 4, height: 8, width: 8, using: &generator)
        var short = [Float](repeating: 0, count: 4 * 64 - 1)
        #expect(throws: ImageError.self) { try plan.apply(to: &short, channels: 1) }
        #expect(throws: ImageError.self) { try plan.apply(to: &short, channels: 2) }
        for (labels, classes, smoothing) in [
            ([0, 1, 2], 10, 0.1), ([0, 1, 2, 10], 10, 0.1), ([0, 1, 2, -1], 10, 0.1),
            ([0, 0, 0, 0], 0, 0.1), ([0, 0, 0, 0], 10, 1), ([0, 0, 0, 0], 10, -0.1),
            ([0, 0, 0, 0], Int.max, 0.1),
        ] {
            #expect(throws: ImageError.self) {
                try plan.targets(labels: labels, classes: classes, smoothing: smoothing)
            }
        }
    }
}
