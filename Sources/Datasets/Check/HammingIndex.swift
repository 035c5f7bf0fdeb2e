/// Finds 64-bit codes that differ in few bits from another, without comparing all pairs.
///
/// Each code is in four tables, one for each 16 bits of it. Two codes that differ in at most 7 bits differ in at most
/// one bit of some 16, so only 17 places of each table are examined. The tables take 16 bytes a code and 1 MiB.
///
/// ## Source
/// Norouzi, Punjani, Fleet, "Fast Search in Hamming Space with Multi-Index Hashing" (CVPR 2012).
struct HammingIndex {
    /// The most bits that codes may differ in to be found.
    static let radius = 7

    private let codes: [UInt64]
    /// For each table where each of its 65,536 places begins in `items`.
    private let starts: [[Int32]]
    private let items: [[Int32]]

    /// - Parameter codes: The codes; they are found as indices into this array.
    init(_ codes: [UInt64]) {
        self.codes = codes
        var starts: [[Int32]] = []
        var items: [[Int32]] = []
        for table in 0..<4 {
            var start = [Int32](repeating: 0, count: 65_537)
            for code in codes { start[Self.part(code, table) + 1] += 1 }
            for place in 1...65_536 { start[place] += start[place - 1] }
            var next = start
            var item = [Int32](repeating: 0, count: codes.count)
            for (index, code) in codes.enumerated() {
                let place = Self.part(code, table)
                item[Int(next[place])] = Int32(index)
                next[place] += 1
            }
            starts.append(start)
            items.append(item)
        }
        self.starts = starts
        self.items = items
    }

    private static func part(_ code: UInt64, _ table: Int) -> Int {
        Int(code >> (16 * UInt64(table)) & 0xFFFF)
    }

    /// Calls a closure with each code before another that differs from it in at most `distance` bits.
    ///
    /// A code may be met up to four times. The walk ends when the closure returns false.
    ///
    /// - Parameters:
    ///   - index: The code to search from; only codes with smaller indices are found.
    ///   - distance: The most bits that may differ, at most ``radius``.
    ///   - body: Receives the index found; returns whether to go on.
    func forEachNear(_ index: Int, within distance: Int, _ body: (Int) -> Bool) {
        let code = codes[index]
        for table in 0..<4 {
            let part = Self.part(code, table)
            for flip in -1..<16 {
                let place = flip < 0 ? part : part ^ (1 << flip)
                for position in starts[table][place]..<starts[table][place + 1] {
                    let other = Int(items[table][Int(position)])
                    // Items of a place stand in ascending order.
                    guard other < index else { break }
                    guard (codes[other] ^ code).nonzeroBitCount <= distance else { continue }
                    guard body(other) else { return }
                }
            }
        }
    }
}
