import Storage
import Testing

/// Names from data and downloaded models in HTML.
@Suite struct MarkupTextTests {
    /// Scalars that join what follows or precedes them into one character, or have no width.
    private static let joining: [Unicode.Scalar] = [
        "\u{600}", "\u{601}", "\u{6DD}", "\u{70F}", "\u{8E2}", "\u{110BD}", "\u{300}", "\u{301}",
        "\u{338}",
        "\u{20D2}", "\u{20E3}", "\u{200D}", "\u{200C}", "\u{FE0F}", "\u{FE20}", "\u{E0100}",
        "\u{1F3FB}", "\u{AD}",
        "\u{FEFF}", "\u{D}",
    ]

    @Test(arguments: joining)
    func noMarkupIsLeftWhateverStandsBesideIt(scalar: Unicode.Scalar) {
        for (sign, name) in [
            ("<", "&lt;"), (">", "&gt;"), ("&", "&amp;"), ("\"", "&quot;"), ("'", "&#39;"),
        ] {
            var before = String.UnicodeScalarView([scalar])
            before.append(contentsOf: sign.unicodeScalars)
            var after = sign.unicodeScalars
            after.append(scalar)
            for text in [before, after, before + [scalar]] {
                let escaped = MarkupText.escaped(String(text)).unicodeScalars
                let bare = escaped.filter { "<>\"'".unicodeScalars.contains($0) }
                #expect(bare.isEmpty)
                let ampersands = escaped.count { $0 == "&" }
                #expect(ampersands == 1)
                #expect(
                    Array(escaped).split(separator: scalar).contains(
                        Array(name.unicodeScalars)[...]
                    )
                )
            }
        }
    }

    @Test func forbiddenScalarsBecomeReplacements() {
        var forbidden = (0...0x1F).filter { ![0x9, 0xA, 0xD].contains($0) } + Array(0x7F...0x9F)
        forbidden += [0x202E, 0x2066, 0xFDD0, 0xFDEF, 0xFFFE, 0xFFFF, 0x1FFFE, 0x10FFFF]
        for value in forbidden {
            guard let scalar = Unicode.Scalar(UInt32(value)) else { continue }
            #expect(MarkupText.escaped(String(scalar)) == "\u{FFFD}", "\(value)")
        }
        #expect(MarkupText.escaped("a\tb\nü 猫 👩‍👧") == "a\tb\nü 猫 👩‍👧")
    }

    @Test func addressesAreRelativePaths() {
        #expect(MarkupText.address("cats/a b.png") == "cats/a%20b.png")
        #expect(MarkupText.address("javascript:alert(1)") == "javascript%3Aalert%281%29")
        #expect(MarkupText.address("//host/x") == ".//host/x")
        #expect(MarkupText.address("a?b#c%\"'<>\u{600}<") == "a%3Fb%23c%25%22%27%3C%3E%D8%80%3C")
    }
}
