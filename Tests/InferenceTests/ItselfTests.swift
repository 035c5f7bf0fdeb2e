import Inference
import Testing
import Torch

/// Images that are among those that vote.
@ModelActor @Suite struct ItselfTests {
    private func features(
        _ values: [Float],
        _ labels: [Int],
        names: [String] = [],
        digests: [String]
    ) -> LabelledFeatures {
        LabelledFeatures(
            values: values,
            width: 2,
            labels: labels,
            names: names,
            digests: digests,
            classNames: ["ant", "bee"]
        )
    }

    /// Every image's nearest neighbour beside itself is of the other class.
    private let crossed: [Float] = [1, 0, 0.99, 0.1, 0, 1, 0.1, 0.99]

    @Test(arguments: [["a", "b", "c", "d"], []])
    func anImageHasNoVoteOnItself(digests: [String]) throws {
        let bank = features(crossed, [0, 1, 0, 1], digests: digests)
        let report = try KNNReport.measure(train: bank, validation: bank, k: [1])
        #expect(report.leftOut == 4 && report.accuracies[0].top1 == 0)
    }

    @Test func whatLooksAlikeIsAnotherImageWhereTheContentIsKnown() throws {
        let bank = features(crossed, [0, 1, 0, 1], digests: ["a", "b", "c", "d"])
        let queries = features(crossed, [0, 1, 0, 1], digests: ["e", "f", "g", "d"])
        let report = try KNNReport.measure(train: bank, validation: queries, k: [1, 100])
        #expect(report.leftOut == 1 && report.accuracies[0].top1 == 0.75)
        #expect(report.accuracies[1].used == 3)
    }

    @Test func everyCopyIsLeftOut() throws {
        // Three copies of an image in the bank, under one class, and a single one of the other.
        let bank = features(
            [1, 0, 1, 0, 1, 0, 0.5, 0.5],
            [0, 0, 0, 1],
            digests: ["a", "a", "a", "b"]
        )
        let query = features([1, 0], [0], digests: ["a"])
        let report = try KNNReport.measure(train: bank, validation: query, k: [1, 2])
        #expect(report.leftOut == 1)
        #expect(report.accuracies.map(\.top1) == [0, 0] && report.accuracies[1].used == 1)
    }

    @Test func aLinearLayerTellsWhatItWasFittedTo() throws {
        let train = features(crossed, [0, 0, 1, 1], digests: ["a", "b", "c", "d"])
        let other = features([1, 0, 0, 1], [0, 1], digests: ["a", "x"])
        let report = try LinearProbeReport.measure(train: train, validation: other)
        #expect(report.sharedCount == 1)
    }

    @Test func anImageOfAClassVotesOnceUnderAnyName() {
        let all = features(
            [1, 0, 1, 0, 1, 0],
            [0, 0, 1],
            names: ["1.png", "copy.png", "2.png"],
            digests: ["a", "a", "a"]
        )
        // Under another class it says something else, and stays.
        #expect(all.withoutRepeats().names == ["1.png", "2.png"])
        #expect(all.withoutRepeats().labels == [0, 1])
        let unknown = features([1, 0, 1, 0], [0, 0], names: ["1.png", "2.png"], digests: [])
        #expect(unknown.withoutRepeats() == unknown)
    }
}
