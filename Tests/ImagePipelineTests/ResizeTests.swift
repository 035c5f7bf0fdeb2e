import ImagePipeline
import Testing

struct ResizeTests {
    @Test(arguments: ImageFixtures.index.resizes)
    func equalsPillow(_ fixture: ImageFixtures.Resize) throws {
        let source = try ImageFixtures.pnm(fixture.source)
        let resized = try source.resized(
            height: fixture.height,
            width: fixture.width,
            interpolation: fixture.interpolation
        )
        expectEqual(resized, try ImageFixtures.pnm(fixture.expected), fixture.expected)
    }

    /// A window is a crop after, a region a crop before.
    @Test(arguments: Interpolation.allCases)
    func windowsAndRegionsAreCrops(_ interpolation: Interpolation) throws {
        for source in [
            try ImageFixtures.pnm("resize-colour.ppm"),
            try ImageFixtures.pnm("resize-grey.pgm"),
        ] {
            var generator = SplitMix64(seed: 3)
            for _ in 0..<60 {
                let region = randomRegion(source.height, source.width, &generator)
                let height = 1 + generator.integer(below: 40)
                let width =
                    generator.integer(below: 3) == 0
                    ? region.width : 1 + generator.integer(below: 40)
                let window = randomRegion(height, width, &generator)
                let expected = try source.cropped(to: region)
                    .resized(height: height, width: width, interpolation: interpolation)
                    .cropped(to: window)
                let actual = try source.resized(
                    height: height,
                    width: width,
                    interpolation: interpolation,
                    region: region,
                    window: window
                )
                expectEqual(actual, expected, "\(region) to \(height) × \(width), \(window)")
            }
        }
    }

    @Test func refusesWhatDoesNotFit() throws {
        let image = try ImageFixtures.pnm("resize-grey.pgm")
        for (height, width) in [
            (0, 4), (4, 0), (-1, 4), (Int.max, 2), (Int.max, Int.max), (1 << 40, 1),
        ] {
            #expect(throws: ImageError.self) {
                try image.resized(height: height, width: width, interpolation: .bicubic)
            }
        }
        for region in [
            Region(top: -1, left: 0, height: 2, width: 2),
            Region(top: 0, left: 0, height: 0, width: 2),
            Region(top: 28, left: 0, height: 2, width: 2),
            Region(top: Int.max, left: 0, height: 2, width: 2),
            Region(top: 2, left: 2, height: Int.max, width: 2),
        ] {
            #expect(throws: ImageError.self) {
                try image.resized(height: 4, width: 4, interpolation: .bilinear, region: region)
            }
            #expect(throws: ImageError.self) {
                try image.resized(height: 29, width: 37, interpolation: .bilinear, window: region)
            }
        }
    }

    @Test func refusesWhatWouldFillTheMemory() throws {
        // A line one pixel wide and long enough that the rows between the two passes take terabytes.
        let line = try Image(
            height: 4_000_000,
            width: 1,
            channels: 1,
            pixels: [UInt8](repeating: 1, count: 4_000_000)
        )
        #expect(throws: ImageError.self) {
            try line.resized(height: 2, width: 1_000_000, interpolation: .bilinear)
        }
        #expect(throws: ImageError.self) {
            try line.resized(height: 1_000_000, width: 1_000_000, interpolation: .nearest)
        }
        let rule = ResizeRule.shortestSide(Int.max)
        #expect(throws: ImageError.self) { try rule.size(height: 4, width: 4) }
    }

    /// Rows longer than a tile of the kernel, and every remainder after one.
    @Test func widthDoesNotMatter() throws {
        let source = try ImageFixtures.pnm("resize-colour.ppm")
        let wide = try source.resized(height: 29, width: 120, interpolation: .bicubic)
        let whole = try wide.resized(height: 17, width: 120, interpolation: .bicubic)
        for width in 1...64 {
            let part = try wide.cropped(
                to: Region(top: 0, left: 120 - width, height: 29, width: width)
            )
            .resized(height: 17, width: width, interpolation: .bicubic)
            #expect(
                part
                    == (try whole.cropped(
                        to: Region(top: 0, left: 120 - width, height: 17, width: width)
                    ))
            )
        }
    }

    private func randomRegion(_ height: Int, _ width: Int, _ generator: inout SplitMix64) -> Region
    {
        let partHeight = 1 + generator.integer(below: height)
        let partWidth = 1 + generator.integer(below: width)
        return Region(
            top: generator.integer(below: height - partHeight + 1),
            left: generator.integer(below: width - partWidth + 1),
            height: partHeight,
            width: partWidth
        )
    }
}
