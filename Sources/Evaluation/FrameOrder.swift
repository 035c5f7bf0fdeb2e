/// The order of frames by their names, in which runs of digits count as numbers.
public enum FrameOrder {
    /// Sorts names: `frame-2` comes before `frame-10`.
    ///
    /// - Parameter names: The names.
    /// - Returns: The names in order; those that differ in zeros before numbers only, by their letters.
    public static func sorted(_ names: [String]) -> [String] {
        names.map { (key: parts($0), name: $0) }
            .sorted { one, other in
                if one.key == other.key { return one.name < other.name }
                return one.key.lexicographicallyPrecedes(other.key)
            }
            .map(\.name)
    }

    /// A piece of a name: a byte, or a number as its digits without zeros before them.
    private struct Piece: Comparable {
        let byte: UInt8
        let digits: [UInt8]

        static func < (one: Piece, other: Piece) -> Bool {
            if one.byte != other.byte { return one.byte < other.byte }
            if one.digits.count != other.digits.count {
                return one.digits.count < other.digits.count
            }
            return one.digits.lexicographicallyPrecedes(other.digits)
        }
    }

    private static func parts(_ name: String) -> [Piece] {
        var pieces: [Piece] = []
        var rest = Array(name.utf8)[...]
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        while let byte = rest.first {
            guard digits.contains(byte) else {
                pieces.append(Piece(byte: byte, digits: []))
                rest = rest.dropFirst()
                continue
            }
            let number = rest.prefix { digits.contains($0) }
            rest = rest.dropFirst(number.count)
            let plain = number.drop { $0 == UInt8(ascii: "0") }
            pieces.append(Piece(byte: UInt8(ascii: "0"), digits: Array(plain)))
        }
        return pieces
    }
}
