import Datasets
import Foundation
import TestSupport
import Testing

@testable import Training

/// Class weights from the option's text to numbers, and times as options have them.
@Suite struct ClassWeightingTests {
    /// Four images of class a, two of b, one of c.
    private let images = LevelDataset(
        levels: [1, 2, 3, 4, 5, 6, 7],
        labels: [0, 0, 0, 0, 1, 1, 2]
    )

    private func weights(_ text: String) throws -> [Double]? {
        var options = TrainingOptions()
        try options.set("class_weights", to: text, source: "the test")
        return try ClassWeights.of(options, train: images)
    }

    @Test(
        arguments: [
            ("off", ClassWeighting.none), ("none", .none), ("balanced", .balanced),
            ("effective", .effective(beta: 0.999)), ("effective:0.9", .effective(beta: 0.9)),
            ("1,2, 0.5", .list([1, 2, 0.5])), ("weights.csv", .file("weights.csv")),
            ("data/a,b.csv", .file("data/a,b.csv")),
        ]
    )
    func readsTexts(text: String, expected: ClassWeighting) throws {
        let found = try #require(ClassWeighting(rawValue: text))
        #expect(found == expected)
        #expect(ClassWeighting(rawValue: found.rawValue) == found)
    }

    @Test(
        arguments: [
            "", "effective:1", "effective:-0.1", "effective:x", "1", "1,-2", "1,x", "1,inf",
            "nan,1",
        ]
    )
    func refusesTexts(text: String) throws {
        #expect(ClassWeighting(rawValue: text) == nil)
        var options = TrainingOptions()
        #expect(throws: OptionError.self) {
            try options.set("class_weights", to: text, source: "the test")
        }
    }

    @Test func followsTheNumbersOfImages() throws {
        #expect(try weights("off") == nil)
        let balanced = try #require(try weights("balanced"))
        #expect(zip(balanced, [7.0 / 12, 7.0 / 6, 7.0 / 3]).allSatisfy { abs($0 - $1) < 1e-12 })
        let effective = try #require(try weights("effective:0.99"))
        #expect(abs(effective.reduce(0, +) - 3) < 1e-12)
        #expect(effective[0] < effective[1] && effective[1] < effective[2])
        #expect(try weights("1,0,3") == [1, 0, 3])
        #expect(throws: OptionError.self) { try weights("1,2") }
        #expect(throws: OptionError.self) { try weights("0,0,0") }
    }

    @Test(
        arguments: [
            ("c,3\na,1\nb,2\n", [1.0, 2, 3] as [Double]?, ""),
            ("class,weight\n\"a\",1\nb,2\nc,0.5\n", [1, 2, 0.5], ""),
            ("a,1\nb,2\n", nil, "no weight for 1 class: c"),
            ("a,1\nb,2\nc,3\nd,4\n", nil, "weights for d"),
            ("a,1\na,2\nb,1\nc,1\n", nil, "two weights for a"),
            ("a,1\nb,-1\nc,1\n", nil, "line 2"),
            ("a,1\nb\nc,1\n", nil, "line 2"),
        ]
    )
    func readsFiles(text: String, expected: [Double]?, problem: String) throws {
        try withTemporaryFolder { folder in
            let file = folder.appending(path: "weights.csv")
            try Data(text.utf8).write(to: file)
            if let expected {
                #expect(try weights(file.path) == expected)
            } else {
                let error = #expect(throws: OptionError.self) { try weights(file.path) }
                #expect("\(error as Any)".contains(problem), "\(error as Any)")
            }
        }
    }

    @Test func aFileThatIsNotThereIsToldWithTheChoices() throws {
        let error = #expect(throws: OptionError.self) { try weights("balance") }
        #expect(error?.description.contains("is balance, which is no file: give balanced") == true)
    }

    @Test func balancedSamplingAndWeightsExcludeEachOther() throws {
        var options = TrainingOptions()
        options.data = "data"
        options.sampler = .balanced
        try Preflight.check(options)
        options.classWeights = .list([1, 2])
        try Preflight.check(options)
        options.classWeights = .balanced
        #expect(throws: OptionError.self) { try Preflight.check(options) }
    }

    @Test(
        arguments: [
            ("30m", 1_800.0, "30m"), ("1h30m", 5_400, "1h30m"), ("90s", 90, "1m30s"),
            ("2h", 7_200, "2h"), ("0.5h", 1_800, "30m"), ("10min", 600, "10m"),
            ("1h 5s", 3_605, "1h5s"), ("1.5s", 1.5, "1.5s"),
        ]
    )
    func readsTimes(text: String, seconds: Double, written: String) {
        #expect(DurationText.read(text) == seconds)
        #expect(DurationText.write(seconds) == written)
        #expect(DurationText.read(written) == seconds)
    }

    @Test(arguments: ["", "30", "m", "30x", "5m1h", "1m2m", "-5m", "0s", "1e9h", "1h30", "nans"])
    func refusesTimes(text: String) {
        #expect(DurationText.read(text) == nil)
    }
}
