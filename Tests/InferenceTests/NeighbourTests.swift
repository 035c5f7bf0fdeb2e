import Foundation
import ImagePipeline
import Inference
import TestSupport
import Testing
import Torch

/// Nearest neighbours and their votes, against plain loops over all pairs.
@ModelActor @Suite struct NeighbourTests {
    private func random(_ count: Int, width: Int, seed: UInt64) -> [Float] {
        var generator = SplitMix64(seed: seed)
        return (0..<(count * width)).map { _ in
            Float(Double(generator.next() >> 11) / Double(1 << 53)) - 0.5
        }
    }

    private func makeSet(
        _ values: [Float],
        width: Int,
        classes: Int = 3
    ) throws -> FeatureSet {
        try FeatureSet(
            values,
            width: width,
            labels: (0..<(values.count / width)).map { $0 % classes },
            classCount: classes
        )
    }

    private func cosine(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Double {
        func dot(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Double {
            zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        return dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
    }

    @Test func `the nearest of several blocks are those of a plain search`() throws {
        // More than one block of queries (256) and of the bank (2048), neither whole.
        let (width, bankCount, queryCount, k) = (5, 4111, 300, 7)
        let (bank, queries) = (
            random(bankCount, width: width, seed: 1), random(queryCount, width: width, seed: 2)
        )
        let found = try makeSet(bank, width: width).nearest(k, to: makeSet(queries, width: width))
        #expect(found.k == k)
        #expect(found.places.count == queryCount * k)
        #expect(found.similarities.count == queryCount * k)
        for query in stride(from: 0, to: queryCount, by: 23) {
            let vector = queries[(query * width)..<((query + 1) * width)]
            let all = (0..<bankCount).map { place in
                (place, cosine(vector, bank[(place * width)..<((place + 1) * width)]))
            }
            let expected = all.sorted { $0.1 > $1.1 }.prefix(k)
            for (rank, index) in found.range(of: query).enumerated() {
                let (place, similarity) = expected[rank]
                #expect(abs(Double(found.similarities[index]) - similarity) < 1e-6)
                // Neighbours as near as that to one another may change places by rounding.
                let own = all[found.places[index]].1
                #expect(found.places[index] == place || abs(own - similarity) < 1e-6)
            }
        }
    }

    @Test func `of equal similarities the earlier place is nearer`() throws {
        // All vectors point the same way, to the last bit.
        let bank = try makeSet(Array(repeating: 1, count: 3000 * 4), width: 4)
        let found = try bank.nearest(5, to: makeSet([1, 1, 1, 1], width: 4))
        #expect(found.places == [0, 1, 2, 3, 4])
    }

    @Test func `more neighbours than there are stand for all`() throws {
        let bank = try makeSet([1, 0, 0, 1, -1, 0], width: 2)
        let found = try bank.nearest(10, to: makeSet([1, 0.1], width: 2))
        #expect(found.k == 3)
        #expect(found.places == [0, 1, 2])
        let accuracy = try KNNClassifier(bank).accuracies(
            of: makeSet([1, 0.1], width: 2),
            k: [10, 1]
        )
        #expect(accuracy.map(\.k) == [10, 1])
        #expect(accuracy.map(\.used) == [3, 1])
        #expect(accuracy.map(\.top1) == [1, 1])
    }

    @Test func `votes are weighted by the exponential of the cosine`() throws {
        // Cosines to the query: 1 (class 1), 0.8 twice (class 0).
        let bank = try FeatureSet(
            [1, 0, 0.8, 0.6, 0.8, -0.6],
            width: 2,
            labels: [1, 0, 0],
            classCount: 2
        )
        let query = try FeatureSet([2, 0], width: 2, labels: [1], classCount: 2)
        func share(_ temperature: Double) throws -> (label: Int, share: Double) {
            let vote = try #require(
                try KNNClassifier(bank, temperature: temperature).classify(query, k: 3).votes[0]
                    .first
            )
            return (vote.label, vote.share)
        }
        // e^(1/0.07) against 2 e^(0.8/0.07): one near neighbour outweighs two.
        let sharp = try share(0.07)
        #expect(sharp.label == 1)
        let ratio = 2 * exp(-0.2 / 0.07)
        #expect(abs(sharp.share - 1 / (1 + ratio)) < 1e-5)
        // At a high temperature all weigh the same.
        let flat = try share(100)
        #expect(flat.label == 0)
        #expect(abs(flat.share - 2 / 3.0) < 1e-3)
        // At a low one weights underflow, and nothing is NaN.
        let cold = try share(1e-6)
        #expect(cold.label == 1)
        #expect(abs(cold.share - 1) < 1e-9)
    }

    @Test func `several numbers of neighbours in one pass are those of one each`() throws {
        let bank = try makeSet(random(200, width: 6, seed: 3), width: 6, classes: 12)
        let queries = try makeSet(random(90, width: 6, seed: 4), width: 6, classes: 12)
        let classifier = try KNNClassifier(bank)
        let together = try classifier.accuracies(of: queries, k: [20, 1, 200, 5])
        for (index, k) in [20, 1, 200, 5].enumerated() {
            let alone = try classifier.accuracies(of: queries, k: [k])
            #expect(alone == [together[index]])
            // And those that the votes of each image give.
            let votes = try classifier.classify(queries, k: k).votes
            let right = votes.indices.count { votes[$0].first?.label == queries.labels[$0] }
            #expect(together[index].top1 == Double(right) / 90)
        }
        #expect(together[1].top5 == together[1].top1)
        #expect(together[0].top5 > together[0].top1)
    }

    @Test func `what cannot be compared is refused`() throws {
        #expect(throws: NeighbourError.empty) { try makeSet([], width: 3) }
        #expect(throws: NeighbourError.notFinite(place: 1)) {
            try makeSet([1, 2, .nan, 4], width: 2)
        }
        #expect(throws: NeighbourError.notFinite(place: 0)) {
            try makeSet([.infinity, 2, 3, 4], width: 2)
        }
        #expect(throws: NeighbourError.self) {
            try FeatureSet([1, 2, 3], width: 2, labels: [0], classCount: 1)
        }
        #expect(throws: NeighbourError.self) {
            try FeatureSet([1, 2], width: 2, labels: [1], classCount: 1)
        }
        #expect(throws: NeighbourError.self) {
            try FeatureSet([1, 2], width: .max, labels: [0, 0], classCount: 1)
        }
        let bank = try makeSet([1, 0, 0, 1, -1, 0], width: 2)
        #expect(throws: NeighbourError.differentWidths(bank: 2, queries: 3)) {
            try bank.nearest(1, to: makeSet([1, 2, 3], width: 3))
        }
        #expect(throws: NeighbourError.invalidCount(0)) { try bank.nearest(0, to: bank) }
        #expect(throws: NeighbourError.invalidCount(-1)) {
            try KNNClassifier(bank).accuracies(of: bank, k: [1, -1])
        }
        for temperature in [0, -1, .nan, .infinity] {
            #expect(throws: NeighbourError.self) {
                try KNNClassifier(bank, temperature: temperature)
            }
        }
        let one = try makeSet([1, 0, 0, 1], width: 2, classes: 1)
        #expect(throws: NeighbourError.oneClass) { try KNNClassifier(one) }
    }

    @Test func `vectors are scaled to length 1 and zeros stay`() throws {
        let set = try makeSet([3, 4, 0, 0, 1e30, 0], width: 2)
        let values = try set.vectors.floats()
        #expect(values.count == 6)
        for (value, expected) in zip(values, [0.6, 0.8, 0, 0, 1, 0] as [Float]) {
            #expect(abs(value - expected) < 1e-6)
        }
    }
}
