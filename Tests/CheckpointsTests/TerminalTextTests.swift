import Checkpoints
import Storage
import Testing

/// Names from files cannot give orders to a terminal.
@Suite struct TerminalTextTests {
    @Test(arguments: [
        ("\u{1B}[2J\u{7}cat\r", #"\u001b[2J\u0007cat\u000d"#),
        ("\u{9B}31m\u{7F}\u{0}", #"\u009b31m\u007f\u0000"#),
        ("a\u{202E}gpj.exe\u{2066}\u{200F}", #"a\u202egpj.exe\u2066\u200f"#),
        ("a\u{2028}b\u{FEFF}\u{E0041}", #"a\u2028b\ufeff\udb40\udc41"#),
        // A mark that joins the escape into one character does not hide it, nor does U+0600 before it.
        ("\u{1B}\u{301}[31m", "\\u001b\u{301}[31m"), ("\u{600}\u{1B}[31m", "\u{600}\\u001b[31m"),
        ("\r\n", "\\u000d\n"),
    ])
    func controlsAreSpelledOut(text: String, safe: String) {
        #expect(Array(TerminalText.safe(text).unicodeScalars) == Array(safe.unicodeScalars))
    }

    @Test(arguments: [
        "tench, Tinca tinca", "Päärchen", "pense\u{301}e", "犬", "می\u{200C}خواهم", "👩\u{200D}🚀",
        "a\tb\nc", #"back\slash"#, "",
    ])
    func textStays(text: String) {
        #expect(Array(TerminalText.safe(text).unicodeScalars) == Array(text.unicodeScalars))
    }

    @Test func aFieldIsOneLine() {
        #expect(TerminalText.field("a\tb\nc") == #"a\u0009b\u000ac"#)
    }

    @Test func jsonMeansTheSame() throws {
        let value: JSONValue = .string("\u{1B}[2J\u{9B}\u{202E}\u{E0041}\n\"")
        let text = TerminalText.safe(value.text(isIndented: false))
        let isPlain = text.unicodeScalars.allSatisfy(\.isASCII)
        #expect(isPlain)
        #expect(try JSONValue.parse(Array(text.utf8)) == value)
    }
}
