/// A number with its noun, such as `1 image`, `2 classes` or `3 copies`.
///
/// - Parameters:
///   - count: The number.
///   - noun: The noun in the singular.
///   - plural: The plural where it does not follow the rule.
/// - Returns: The words.
package func counted(_ count: Int, _ noun: String, _ plural: String? = nil) -> String {
    if count == 1 { return "1 \(noun)" }
    if let plural { return "\(count) \(plural)" }
    if ["s", "x", "ch", "sh"].contains(where: noun.hasSuffix) { return "\(count) \(noun)es" }
    let hasVowel = ["ay", "ey", "oy", "uy"].contains(where: noun.hasSuffix)
    if noun.hasSuffix("y"), !hasVowel { return "\(count) \(noun.dropLast())ies" }
    return "\(count) \(noun)s"
}
