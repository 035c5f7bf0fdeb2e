import Testing

@testable import Inference

@Suite struct ScoresTests {
    @Test func countsTopOneAndFive() {
        var scores = Scores()
        // Ranks of the labels: 0, 4, 5.
        let logits: [Float] = [
            9, 1, 2, 3, 4, 5,
            1, 2, 3, 4, 5, 0,
            1, 2, 3, 4, 5, 0,
        ]
        scores.add(logits, classes: 6, labels: [0, 0, 5])
        #expect(scores.count == 3)
        #expect(scores.top1 == 1)
        #expect(scores.top5 == 2)
    }

    @Test func fewerThanFiveClassesAreAllInTheTopFive() {
        var scores = Scores()
        scores.add([1, 2, 3, 3, 2, 1], classes: 3, labels: [0, 2])
        #expect(scores.top1 == 0)
        #expect(scores.top5 == 2)
    }

    @Test func ofEqualScoresTheFirstIsAhead() {
        #expect(Scores.rank(of: 0, in: [1, 1, 1]) == 0)
        #expect(Scores.rank(of: 2, in: [1, 1, 1]) == 2)
    }

    @Test func notANumberIsNeverRight() {
        #expect(Scores.rank(of: 0, in: [.nan, 0, 1]) == 2)
        #expect(Scores.rank(of: 1, in: [.nan, 0, -1]) == 1)
        var scores = Scores()
        scores.add([.nan, .nan], classes: 2, labels: [0])
        #expect(scores.top1 == 0)
        #expect(scores.loss.isNaN)
    }

    @Test func crossEntropyAndSoftmaxAreStable() {
        #expect(abs(Scores.crossEntropy(of: 1, in: [0, 0]) - 0.693_147_180_559_945) < 1e-12)
        #expect(abs(Scores.crossEntropy(of: 0, in: [1000, 0])) < 1e-12)
        #expect(abs(Scores.crossEntropy(of: 1, in: [1000, 0]) - 1000) < 1e-9)
    }

    @Test func slicesOfALargerArrayAreReadFromTheirStart() {
        let all: [Float] = [9, 9, 0, 3]
        #expect(Scores.rank(of: 1, in: all[2...]) == 0)
        #expect(abs(Scores.crossEntropy(of: 1, in: all[2...]) - 0.048_587_351_573_742) < 1e-9)
    }
}
