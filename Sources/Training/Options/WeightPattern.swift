/// A pattern of the names of weights: `blocks.0`, `patch_embed`, `blocks.*.mlp`, `*.bias`.
///
/// `*` matches any text, dots included, and `?` one character, as in Python's `fnmatch`, which timm uses for such
/// lists; its brackets are not known here. A pattern that means a part of the network means all the weights in it:
/// `blocks.1` is `blocks.1` and `blocks.1.*`, and not `blocks.10`.
public struct WeightPattern: Sendable, Equatable {
    /// The text.
    public let text: String
    private let characters: [UInt8]

    /// Creates a pattern.
    ///
    /// - Parameter text: The text.
    public init(_ text: String) {
        self.text = text
        characters = Array(text.utf8)
    }

    /// Whether a text can be a pattern: a letter, `*`, `?` or `_` first, then also digits, dots and `-`.
    public static func isWellFormed(_ text: String) -> Bool {
        guard let first = text.first else { return false }
        func isLetter(_ character: Character) -> Bool {
            character.isASCII && character.isLetter || "*?_".contains(character)
        }
        return isLetter(first)
            && text.allSatisfy { isLetter($0) || $0.isASCII && $0.isNumber || ".-".contains($0) }
    }

    /// Whether the pattern means a weight.
    ///
    /// - Parameter name: The weight's key in checkpoints.
    /// - Returns: Whether the name, or the name of a part that it is in, fits the whole pattern.
    public func matches(_ name: String) -> Bool {
        let name = Array(name.utf8)
        // Every place where a part's name may end, and the end itself.
        for end in 0...name.count where end == name.count || name[end] == UInt8(ascii: ".") {
            if fits(name[..<end]) { return true }
        }
        return false
    }

    /// Whether the whole of a text fits the whole pattern; linear but for the stars, of which the last is tried anew.
    private func fits(_ name: ArraySlice<UInt8>) -> Bool {
        var (place, at) = (0, name.startIndex)
        var star: (place: Int, at: Int)?
        while at < name.endIndex {
            if place < characters.count, characters[place] == UInt8(ascii: "*") {
                star = (place, at)
                place += 1
            } else if place < characters.count,
                characters[place] == name[at] || characters[place] == UInt8(ascii: "?")
            {
                place += 1
                at += 1
            } else if let last = star {
                // The star takes one character more.
                star = (last.place, last.at + 1)
                place = last.place + 1
                at = last.at + 1
            } else {
                return false
            }
        }
        return characters[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
