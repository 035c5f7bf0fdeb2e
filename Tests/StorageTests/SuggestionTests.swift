import Storage
import Testing

@Suite struct SuggestionTests {
    @Test(arguments: [
        ("", "abc", 3), ("abc", "abc", 0), ("abc", "acb", 1), ("abc", "ab", 1),
        ("kitten", "sitting", 3),
        ("weight_decya", "weight_decay", 1), ("ca", "abc", 3),
    ])
    func distanceCountsSwapsAsOne(first: String, second: String, expected: Int) {
        #expect(Suggestion.distance(first, second) == expected)
        #expect(Suggestion.distance(second, first) == expected)
    }

    @Test func nearestFindsTypingMistakesOnly() {
        let names = ["deit_tiny_patch16_224", "deit_small_patch16_224", "resnet18"]
        #expect(
            Suggestion.nearest(to: "deit_tiny_patch_224", among: names) == "deit_tiny_patch16_224"
        )
        #expect(
            Suggestion.nearest(to: "DeiT-Small-patch16-224", among: names)
                == "deit_small_patch16_224"
        )
        #expect(Suggestion.nearest(to: "resent18", among: names) == "resnet18")
        #expect(Suggestion.nearest(to: "banana", among: names) == nil)
        #expect(Suggestion.nearest(to: "x", among: []) == nil)
        #expect(
            Suggestion.phrase(for: "sofft", among: ["none", "soft"]) == "; did you mean \"soft\"?"
        )
    }
}
