import Foundation

/// Letters of 5 × 7 dots for captions in images; ASCII only, in which other letters lose their accents.
enum DotFont {
    /// The dots of a letter and of the gap to the next.
    static let advance = 6
    /// The dots of a line of text, without a gap.
    static let height = 7

    /// Calls `body` with the row and the column of every dot of a text.
    static func draw(_ text: String, _ body: (_ row: Int, _ column: Int) -> Void) {
        for (place, letter) in plain(text).enumerated() {
            let rows = glyphs[max(0, min(glyphs.count - 1, Int(letter) - 32))]
            for row in 0..<height {
                let bits = rows >> (8 * (height - 1 - row)) & 0x1F
                for column in 0..<5 where bits >> (4 - column) & 1 == 1 {
                    body(row, place * advance + column)
                }
            }
        }
    }

    /// The text in letters that there are.
    static func plain(_ text: String) -> [UInt8] {
        text.decomposedStringWithCanonicalMapping.unicodeScalars
            .filter { $0.properties.canonicalCombiningClass == .notReordered }
            .map { (32..<127).contains($0.value) ? UInt8($0.value) : UInt8(ascii: "?") }
    }

    /// Seven rows of a letter, one byte each, the leftmost dot in bit 4; from the space on.
    private static let glyphs: [UInt64] = [
        0x00_0000_0000_0000, 0x04_0404_0404_0004, 0x0A_0A0A_0000_0000, 0x0A_0A1F_0A1F_0A0A,
        0x04_0F14_0E05_1E04,
        0x18_1902_0408_1303, 0x0C_1214_0815_120D, 0x04_0408_0000_0000, 0x02_0408_0808_0402,
        0x08_0402_0202_0408,
        0x00_0415_0E15_0400, 0x00_0404_1F04_0400, 0x00_0000_000C_0408, 0x00_0000_1F00_0000,
        0x00_0000_0000_0C0C,
        0x00_0102_0408_1000, 0x0E_1113_1519_110E, 0x04_0C04_0404_040E, 0x0E_1101_0204_081F,
        0x1F_0204_0201_110E,
        0x02_060A_121F_0202, 0x1F_101E_0101_110E, 0x06_0810_1E11_110E, 0x1F_0102_0408_0808,
        0x0E_1111_0E11_110E,
        0x0E_1111_0F01_020C, 0x00_0C0C_000C_0C00, 0x00_0C0C_000C_0408, 0x02_0408_1008_0402,
        0x00_001F_001F_0000,
        0x08_0402_0102_0408, 0x0E_1101_0204_0004, 0x0E_1101_0D15_150E, 0x0E_1111_111F_1111,
        0x1E_1111_1E11_111E,
        0x0E_1110_1010_110E, 0x1C_1211_1111_121C, 0x1F_1010_1E10_101F, 0x1F_1010_1E10_1010,
        0x0E_1110_1711_110F,
        0x11_1111_1F11_1111, 0x0E_0404_0404_040E, 0x07_0202_0202_120C, 0x11_1214_1814_1211,
        0x10_1010_1010_101F,
        0x11_1B15_1511_1111, 0x11_1119_1513_1111, 0x0E_1111_1111_110E, 0x1E_1111_1E10_1010,
        0x0E_1111_1115_120D,
        0x1E_1111_1E14_1211, 0x0F_1010_0E01_011E, 0x1F_0404_0404_0404, 0x11_1111_1111_110E,
        0x11_1111_1111_0A04,
        0x11_1111_1515_150A, 0x11_110A_040A_1111, 0x11_1111_0A04_0404, 0x1F_0102_0408_101F,
        0x0E_0808_0808_080E,
        0x00_1008_0402_0100, 0x0E_0202_0202_020E, 0x04_0A11_0000_0000, 0x00_0000_0000_001F,
        0x08_0402_0000_0000,
        0x00_000E_010F_110F, 0x10_1016_1911_111E, 0x00_000E_1010_110E, 0x01_010D_1311_110F,
        0x00_000E_111F_100E,
        0x06_0908_1C08_0808, 0x00_0F11_110F_010E, 0x10_1016_1911_1111, 0x04_000C_0404_040E,
        0x02_0006_0202_120C,
        0x10_1012_1418_1412, 0x0C_0404_0404_040E, 0x00_001A_1515_1111, 0x00_0016_1911_1111,
        0x00_000E_1111_110E,
        0x00_001E_111E_1010, 0x00_000D_130F_0101, 0x00_0016_1910_1010, 0x00_000E_100E_011E,
        0x08_081C_0808_0906,
        0x00_0011_1111_130D, 0x00_0011_1111_0A04, 0x00_0011_1115_150A, 0x00_0011_0A04_0A11,
        0x00_0011_110F_010E,
        0x00_001F_0204_081F, 0x02_0404_0804_0402, 0x04_0404_0404_0404, 0x08_0404_0204_0408,
        0x00_0008_1502_0000,
    ]
}
