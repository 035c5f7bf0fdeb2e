import Testing
import Training
import VisionModels

/// Which patches masked modelling hides.
@Suite struct PatchMaskingTests {
    private func make(
        _ kind: MaskKind,
        side: Int = 14,
        unit: Int = 2,
        ratio: Double = 0.6
    ) -> PatchMasking? {
        PatchMasking(kind, grid: PatchGrid(height: side, width: side), unit: unit, ratio: ratio)
    }

    @Test func `random masks are whole squares, as many of every image`() throws {
        let masking = try #require(make(.random))
        // SimMIM: 0.6 of 49 squares of 2×2 patches, rounded up.
        #expect(masking.hiddenCount == 30 * 4)
        var hits = [Int](repeating: 0, count: 196)
        for index in 0..<400 {
            let mask = masking.mask(of: index, epoch: 3, seed: 5)
            try #require(mask.count == 196)
            #expect(mask.reduce(0) { $0 + Int($1) } == 120)
            for (place, value) in mask.enumerated() {
                let (row, column) = (place / 14, place % 14)
                #expect(value == mask[row / 2 * 2 * 14 + column / 2 * 2])
                hits[place] += Int(value)
            }
        }
        // Each place is hidden in 61 % of the images, within five standard deviations.
        #expect(hits.allSatisfy { abs(Double($0) / 400 - 30 / 49.0) < 0.125 })
    }

    @Test func `block masks are connected areas of the wanted size`() throws {
        let masking = try #require(make(.block, ratio: 0.4))
        #expect(masking.hiddenCount == 79)
        var (edges, random) = (0, 0)
        let scattered = try #require(make(.random, unit: 1, ratio: 0.4))
        for index in 0..<100 {
            let mask = masking.mask(of: index, epoch: 0, seed: 1)
            #expect(mask.reduce(0) { $0 + Int($1) } == 79)
            edges += borders(mask)
            random += borders(scattered.mask(of: index, epoch: 0, seed: 1))
        }
        // Rectangles have far fewer borders than as many single patches.
        #expect(edges * 2 < random)
        // Small and oblong grids too.
        for (height, width) in [(2, 2), (1, 6), (3, 5), (8, 8)] {
            let small = try #require(
                PatchMasking(
                    .block,
                    grid: PatchGrid(height: height, width: width),
                    unit: 1,
                    ratio: 0.5
                )
            )
            for index in 0..<20 {
                let mask = small.mask(of: index, epoch: 0, seed: 9)
                #expect(mask.count == height * width)
                #expect(mask.reduce(0) { $0 + Int($1) } == small.hiddenCount)
            }
        }
    }

    private func borders(_ mask: [UInt8]) -> Int {
        (0..<196).count { place in place % 14 < 13 && mask[place] != mask[place + 1] }
            + (0..<182).count { mask[$0] != mask[$0 + 14] }
    }

    @Test(arguments: MaskKind.allCases)
    func `masks are a function of seed, epoch and image`(kind: MaskKind) throws {
        let masking = try #require(make(kind))
        let one = masking.mask(of: 7, epoch: 2, seed: 3)
        #expect(one == masking.mask(of: 7, epoch: 2, seed: 3))
        #expect(one != masking.mask(of: 8, epoch: 2, seed: 3))
        #expect(one != masking.mask(of: 7, epoch: 3, seed: 3))
        #expect(one != masking.mask(of: 7, epoch: 2, seed: 4))
    }

    @Test func `what cannot be masked is refused`() {
        #expect(make(.random, unit: 3) == nil)
        #expect(make(.random, unit: 14) == nil)
        #expect(make(.random, unit: 0) == nil)
        #expect(make(.block, side: 0) == nil)
        for ratio in [0, 1, -0.1, 1.5, .nan] { #expect(make(.random, ratio: ratio) == nil) }
        // Something is hidden and something is seen, however the ratio is.
        #expect(make(.random, unit: 7, ratio: 0.99)?.hiddenCount == 147)
        #expect(make(.block, side: 2, ratio: 0.01)?.hiddenCount == 1)
        // 0.6 of 5 is 3, not 4 by rounding of the product.
        let five = PatchMasking(.block, grid: PatchGrid(height: 1, width: 5), unit: 1, ratio: 0.6)
        #expect(five?.hiddenCount == 3)
    }
}
