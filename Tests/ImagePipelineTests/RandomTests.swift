import ImagePipeline
import Testing

struct RandomTests {
    @Test func streamsAreThoseOfTheReference() throws {
        for stream in ImageFixtures.index.random {
            let seed = try #require(UInt64(stream.seed))
            var generator = SplitMix64(
                seed: seed,
                epoch: stream.epoch,
                index: stream.index,
                view: stream.view
            )
            for value in stream.values { #expect(generator.next() == UInt64(value)) }
        }
    }

    @Test func neighbouringStreamsDiffer() {
        var firsts: Set<UInt64> = []
        for seed in 0..<4 {
            for epoch in 0..<6 {
                for index in 0..<50 {
                    for view in 0..<3 {
                        var generator = SplitMix64(
                            seed: UInt64(seed),
                            epoch: epoch,
                            index: index,
                            view: view
                        )
                        firsts.insert(generator.next())
                    }
                }
            }
        }
        #expect(firsts.count == 4 * 6 * 50 * 3)
    }

    @Test func integersAreEvenlySpread() {
        var generator = SplitMix64(seed: 1)
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<70_000 { counts[generator.integer(below: 7)] += 1 }
        // Five standard deviations of a count of 10,000.
        #expect(counts.allSatisfy { abs($0 - 10_000) < 500 })
        #expect(generator.integer(below: 1) == 0 && generator.integer(below: 0) == 0)
        #expect(
            (0..<100).allSatisfy { _ in (0..<Int.max).contains(generator.integer(below: .max)) }
        )
    }

    @Test func uniformAndNormalHaveTheirMoments() {
        var generator = SplitMix64(seed: 2)
        let uniform = (0..<40_000).map { _ in generator.uniform() }
        #expect(uniform.allSatisfy { (0..<1).contains($0) })
        #expect(abs(uniform.reduce(0, +) / 40_000 - 0.5) < 0.01)
        let normal = (0..<40_000).map { _ in generator.normal() }
        #expect(abs(normal.reduce(0, +) / 40_000) < 0.03)
        #expect(abs(normal.reduce(0) { $0 + $1 * $1 } / 40_000 - 1) < 0.05)
    }

    @Test func shufflingKeepsAllValues() {
        var generator = SplitMix64(seed: 3)
        var values = Array(0..<1000)
        generator.shuffle(&values)
        #expect(values != Array(0..<1000))
        #expect(values.sorted() == Array(0..<1000))
        var none: [Int] = []
        generator.shuffle(&none)
        #expect(none.isEmpty)
    }
}
