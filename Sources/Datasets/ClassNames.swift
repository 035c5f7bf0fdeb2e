import ImagePipeline

/// How the names of classes are compared, put in order and kept, in folders, lists, archives and files of names alike.
///
/// Names are the same where they are canonically equivalent, that is, where they differ only in their Unicode normal form
/// (NFC as most systems write them, NFD as macOS does). Everything else counts: letter case, spaces, hyphens. A name is
/// kept as it is spelled, byte for byte, and names are in the order of their code points as spelled, as in torchvision.
///
/// ## Source
/// Unicode Standard Annex #15; Swift compares and hashes `String` by canonical equivalence.
package enum ClassNames {
    /// The names in order, each once; of several forms of a name the one that comes first in that order.
    static func distinct(_ names: some Sequence<String>) -> [String] {
        var forms: Set<[UInt8]> = []
        var seen: Set<String> = []
        return names.filter { forms.insert(Array($0.utf8)).inserted }.sorted(by: precedes)
            .filter { seen.insert($0).inserted }
    }

    /// The place of each name; of a name that is there twice, the first.
    static func places(_ names: [String]) -> [String: Int] {
        Dictionary(names.enumerated().map { ($1, $0) }) { first, _ in first }
    }

    /// Whether two data sets have the same classes, in whichever order.
    static func areSame(_ one: [String], _ other: [String]) -> Bool {
        one.count == other.count && Set(one) == Set(other)
    }

    /// A name in ASCII, `\u{…}` for each other code point, so that two forms of a name look different.
    static func spelled(_ name: String) -> String {
        name.unicodeScalars.map { scalar in
            (0x20..<0x7F).contains(scalar.value)
                ? String(scalar) : "\\u{" + String(scalar.value, radix: 16).uppercased() + "}"
        }
        .joined()
    }

    /// How many classes there are, and the first few: `2 classes: daisy, dandelion`.
    ///
    /// - Parameters:
    ///   - names: The names, in the order of the labels.
    ///   - limit: The most names that are shown.
    /// - Returns: The text; callers that print it must make the names safe for a terminal.
    package static func summary(_ names: [String], limit: Int = 5) -> String {
        let more = names.count > limit ? " and \(names.count - limit) more" : ""
        let number = counted(names.count, "class")
        return names.isEmpty
            ? number : "\(number): \(names.prefix(limit).joined(separator: ", "))\(more)"
    }
}
