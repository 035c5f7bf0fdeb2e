import Storage
import Testing

@Suite struct ShellPatternTests {
    @Test(arguments: [
        ("vit_small_patch14_dinov2", "vit_*dinov2*", true), ("a/b.json", "*.json", true),
        ("vit_small", "vit", false), ("vit_small", "vit_small", true), ("b1", "b[0-9]", true),
        ("b", "b?", false), ("", "*", true),
    ])
    func wholeTextsMatch(text: String, pattern: String, expected: Bool) {
        #expect(ShellPattern.matches(text, pattern) == expected)
    }

    @Test func patternsAreKnownByTheirCharacters() {
        #expect(ShellPattern.isPattern("vit_*") && ShellPattern.isPattern("b[12]"))
        #expect(!ShellPattern.isPattern("vit_small.dino"))
    }
}
