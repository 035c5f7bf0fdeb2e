import Checkpoints
import Inference
import Testing

@Suite struct ClassMappingTests {
    let labels = ClassLabels(
        names: ["tench, Tinca tinca", "goldfish", "shark"],
        identifiers: ["n01440764", "n01443537", "n01484850"]
    )

    @Test func namesAndIdentifiersMatchInAnyOrderAndNumber() throws {
        let all = try ClassMapping(of: ["shark", "goldfish"], in: labels)
        #expect(all.indices == [2, 1] && !all.isByOrder)
        #expect(try ClassMapping(of: ["n01484850"], in: labels).indices == [2])
    }

    @Test func unknownClassesAreListed() {
        let error = #expect(throws: InferenceError.self) {
            try ClassMapping(of: ["goldfish", "whale", "squid"], in: labels)
        }
        #expect(
            error
                == .unknownClasses(
                    data: ["whale", "squid"],
                    model: labels.names,
                    hasIdentifiers: true
                )
        )
        let text = error.map { "\($0)" } ?? ""
        #expect(
            text.contains("whale, squid") && text.contains("tench") && text.contains("--labels")
        )
    }

    @Test func numbersStandForOrder() throws {
        let byOrder = try ClassMapping(of: ["a", "b"], in: ClassLabels(placeholders: 2))
        #expect(byOrder.indices == [0, 1] && byOrder.isByOrder)
        #expect(try ClassMapping(of: ["0", "1", "2"], in: labels).isByOrder)
        // Numbers that are names match as names, also where there are fewer.
        let some = try ClassMapping(of: ["7", "3"], in: ClassLabels(placeholders: 10))
        #expect(some.indices == [7, 3] && !some.isByOrder)
        #expect(throws: InferenceError.self) {
            try ClassMapping(of: ["a", "b", "c"], in: ClassLabels(placeholders: 2))
        }
        #expect(throws: InferenceError.self) { try ClassMapping(of: ["0", "1"], in: labels) }
    }

    @Test func synsetsWithoutIdentifiersHintAtALabelsFile() {
        let error = #expect(throws: InferenceError.self) {
            try ClassMapping(of: ["n01440764"], in: ClassLabels(placeholders: 1000))
        }
        #expect(error.map { "\($0)".contains("synsets") } == true)
    }
}
