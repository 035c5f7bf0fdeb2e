import Foundation
import ImagePipeline
import Testing

/// timm's tables and notation, read exactly.
struct AugmentTableTests {
    /// Arguments for magnitudes from 0 to 30, in both signs.
    @Test func arguments() throws {
        let levels = try AugmentFixtures.load().levels
        var names: Set<String> = []
        for row in levels.rows {
            let operation = try #require(AugmentOperation(rawValue: row.name))
            try #require(row.values.count == levels.magnitudes.count)
            names.insert(row.name)
            for (magnitude, expected) in zip(levels.magnitudes, row.values) {
                // timm's lambda draws a number above 0.5 for the other sign, which only some operations ask for.
                let argument = operation.argument(level: magnitude, negated: row.negated)
                #expect(argument == expected, "\(row.name) at \(magnitude)")
            }
        }
        let without = ["AutoContrast", "Equalize", "Invert"]
        #expect(
            names.union(without) == Set(AugmentOperation.allCases.map(\.rawValue))
        )
    }

    @Test func notation() throws {
        for expected in try AugmentFixtures.load().notations {
            let augment = try RandAugment(parsing: expected.text)
            #expect(augment.magnitude == expected.magnitude, "\(expected.text)")
            #expect(augment.layers == expected.layers, "\(expected.text)")
            #expect(augment.probability == expected.probability, "\(expected.text)")
            #expect(
                min(augment.settings.magnitudeStd, 1000) == expected.magnitudeStd
                    || augment.settings.magnitudeStd > 100 && expected.magnitudeStd == 1000
            )
            #expect(augment.settings.magnitudeMax == expected.magnitudeMax, "\(expected.text)")
            #expect(augment.choices.operations == expected.operations, "\(expected.text)")
            let sum = augment.choices.weights?.reduce(0, +) ?? 1
            #expect(augment.choices.weights?.map { $0 / sum } == expected.weights)
        }
    }

    @Test func theNotationOfDeiT() throws {
        let augment = try RandAugment(parsing: "rand-m9-mstd0.5-inc1", fill: [124, 116, 104])
        #expect(augment.choices.operations.count == 15)
        #expect(augment.magnitude == 9 && augment.layers == 2 && augment.probability == 0.5)
        #expect(augment.settings.magnitudeStd == 0.5 && augment.settings.fill == [124, 116, 104])
        #expect(AugmentSettings.fill(matching: Normalization.imageNet.mean) == [124, 116, 104])
        #expect(AugmentSettings.fill(matching: [0.5, 0, 1]) == [128, 0, 255])
    }

    @Test(arguments: [
        ("rand-m9-mstd0.5-inc", "\"inc\""), ("rand-m9.5", "\"m9.5\""), ("rand-x3", "\"x3\""),
        ("rand-w0", "\"w0\""), ("rand-tother", "\"tother\""), ("rand-m9--n2", "\"\""),
        ("rand-mstdinf", "\"mstdinf\""), ("rand-n0", "n must be"), ("rand-p1.5", "p must be"),
        ("rand-pnan", "\"pnan\""), ("rand-t3aw-n15", "n must be"), ("ran-m9", "\"ran\""),
        ("rand-mmax1e400", "\"mmax1e400\""), ("rand-m٣", "\"m٣\""), ("", "\"\""),
    ])
    func namesTheBadPart(_ text: String, _ part: String) {
        let error = #expect(throws: ImageError.self) { try RandAugment(parsing: text) }
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "none")")
    }

    @Test func namesTheBadPolicy() {
        for (text, part) in [
            ("v1", "\"v1\""), ("original-m9", "\"m9\""), ("v0-mstd", "\"mstd\""),
            ("3a-mstd-1", "\"mstd\""),
        ] {
            let error = #expect(throws: ImageError.self) { try AutoAugment(parsing: text) }
            #expect(error?.description.contains(part) == true, "\(error?.description ?? "none")")
        }
        for text in ["", "augmix-m5", "random", "rand_m9"] {
            let error = #expect(throws: ImageError.self) {
                try ImageOperation.augmentation(parsing: text, mean: [0.5], interpolation: nil)
            }
            #expect(error?.description.contains("\"\(text)") == true)
        }
    }

    @Test func policies() throws {
        let policies = try AugmentFixtures.load().policies
        #expect(Set(policies.keys) == Set(AutoAugmentPolicy.allCases.map(\.rawValue)))
        for policy in AutoAugmentPolicy.allCases {
            let expected = try #require(policies[policy.rawValue])
            let steps = policy.steps
            try #require(steps.count == expected.count)
            for (pair, expectedPair) in zip(steps, expected) {
                #expect(pair.map(\.operation.rawValue) == expectedPair.map(\.name))
                #expect(pair.map(\.probability) == expectedPair.map(\.probability))
                #expect(pair.map(\.magnitude) == expectedPair.map(\.magnitude))
            }
        }
    }
}
