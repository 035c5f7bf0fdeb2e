/// Times as options have them: `30m`, `1h30m`, `90s`.
package enum DurationText {
    private static let units: [(name: Character, seconds: Double)] = [
        ("h", 3_600), ("m", 60), ("s", 1),
    ]
    private static let range = 1.0...3_600_000

    /// Reads numbers with units, the larger unit first and each once.
    ///
    /// - Parameter text: The text.
    /// - Returns: Seconds; nil where it is no time, or out of range.
    package static func read(_ text: String) -> Double? {
        var rest = text.filter { $0 != " " }[...]
        var seconds = 0.0
        var isEmpty = true
        for unit in units {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard rest.dropFirst(number.count).first == unit.name else { continue }
            guard let value = Double(number) else { return nil }
            seconds += value * unit.seconds
            rest = rest.dropFirst(number.count + 1)
            // "30min" is as usual.
            if unit.name == "m", rest.hasPrefix("in") { rest = rest.dropFirst(2) }
            isEmpty = false
        }
        guard rest.isEmpty, !isEmpty, range.contains(seconds) else { return nil }
        return seconds
    }

    /// Writes hours, minutes and seconds, those that are there.
    static func write(_ seconds: Double) -> String {
        var rest = seconds
        var text = ""
        for unit in units.dropLast() {
            let count = (rest / unit.seconds).rounded(.down)
            if count > 0 { text += "\(Int(count))\(unit.name)" }
            rest -= count * unit.seconds
        }
        guard rest > 0 || text.isEmpty else { return text }
        return text + (rest == rest.rounded() ? "\(Int(rest))" : "\(rest)") + "s"
    }
}
