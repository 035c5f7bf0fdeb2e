/// timm's notation of an augmentation, `name-key1-key2`, taken apart.
struct AugmentNotation {
    /// One part: letters, then a number.
    struct Part {
        let text: String
        let key: String
        let value: String
    }

    let text: String
    let name: String
    let parts: [Part]

    init(_ text: String) {
        self.text = text
        let sections = text.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        name = sections.first ?? ""
        parts = sections.dropFirst().map { section in
            let key = section.prefix { !$0.isWholeNumber }
            return Part(
                text: section,
                key: String(key),
                value: String(section.dropFirst(key.count))
            )
        }
    }

    /// Reads the whole number of a part.
    func integer(_ part: Part) throws(ImageError) -> Int {
        guard let value = Int(part.value), part.value.allSatisfy(\.isASCII) else {
            throw wrong(part, "\"\(part.key)\" needs an integer, as in \"\(part.key)1\"")
        }
        return value
    }

    /// Reads the number of a part.
    func number(_ part: Part) throws(ImageError) -> Double {
        guard let value = Double(part.value), value.isFinite else {
            throw wrong(part, "\"\(part.key)\" needs a number, as in \"\(part.key)0.5\"")
        }
        return value
    }

    /// Reads the name of a set of operations.
    func choices(_ part: Part) throws(ImageError) -> RandAugmentChoices {
        guard part.text.hasPrefix("t") else {
            throw wrong(
                part,
                "use m, n, p, mstd, mmax or inc with a number, or t with a name"
            )
        }
        let named: [RandAugmentChoices] = [.weights, .threeAugment, .threeAugmentWeighted]
        guard let found = named.first(where: { $0.rawValue == part.text.dropFirst() }) else {
            throw wrong(part, "available sets are tweights, t3a and t3aw")
        }
        return found
    }

    /// The error for a part that means nothing.
    func wrong(_ part: Part, _ advice: String) -> ImageError {
        .invalid("\"\(part.text)\" in the augmentation \"\(text)\" is not valid: \(advice)")
    }
}
