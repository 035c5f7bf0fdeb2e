/// Finds the name that a mistyped word most likely meant.
public enum Suggestion {
    /// The candidate nearest to a word, or nil where none is near enough to be meant.
    ///
    /// Compares without regard to case and takes `-` and `_` as equal. A candidate is near enough
    /// when its distance is at most a third of the longer word's length, and at least 1.
    ///
    /// - Parameters:
    ///   - word: What was typed.
    ///   - candidates: What would have been right. The first of equally near ones wins.
    /// - Returns: The candidate.
    public static func nearest(to word: String, among candidates: some Sequence<String>) -> String?
    {
        let typed = normalized(word)
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            let name = normalized(candidate)
            let limit = max(1, max(typed.count, name.count) / 3)
            let distance = distance(typed, name)
            guard distance <= limit, distance < best?.distance ?? Int.max else { continue }
            best = (candidate, distance)
        }
        return best?.name
    }

    /// The end of an error's sentence: `; did you mean "name"?`, or nothing.
    public static func phrase(for word: String, among candidates: some Sequence<String>) -> String {
        nearest(to: word, among: candidates).map { "; did you mean \"\($0)\"?" } ?? ""
    }

    /// The Damerau–Levenshtein distance: insertions, deletions, replacements and swaps of neighbours.
    ///
    /// The restricted form, in which no part of the word is changed twice.
    public static func distance(_ first: String, _ second: String) -> Int {
        let a = Array(first)
        let b = Array(second)
        guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
        var beforeLast = [Int](repeating: 0, count: b.count + 1)
        var last = Array(0...b.count)
        for i in 1...a.count {
            var row = [Int](repeating: i, count: b.count + 1)
            for j in 1...b.count {
                let replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
                row[j] = min(last[j] + 1, row[j - 1] + 1, replaced)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    row[j] = min(row[j], beforeLast[j - 2] + 1)
                }
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }

    private static func normalized(_ word: String) -> String {
        String(word.lowercased().map { $0 == "_" ? "-" : $0 })
    }
}
