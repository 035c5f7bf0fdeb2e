import Storage

/// Checks of names that become paths.
///
/// What a server says is never trusted to stay inside the cache.
enum HubNames {
    /// Whether a file's name in a repository is safe to use as a path below a folder.
    static func isSafeFile(_ name: String) -> Bool {
        guard !name.isEmpty, name.utf8.count <= 1_024, isPrintable(name) else { return false }
        // A backslash or a drive's letter would lead elsewhere on a system that shares the cache.
        guard !name.contains("\\"), !name.contains(":") else { return false }
        return name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
            !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count <= 255
        }
    }

    /// Whether a commit is what git calls one: 40 hexadecimal digits, in lower case.
    static func isCommit(_ text: String) -> Bool { isHexadecimal(text, digits: 40) }

    /// Whether an entity tag, without quotes, can name a file.
    static func isSafeTag(_ tag: String) -> Bool {
        guard (1...200).contains(tag.utf8.count), !tag.hasPrefix(".") else { return false }
        // The cache's own endings: a tag that has one would name another blob's unfinished file.
        guard !tag.hasSuffix(".incomplete"), !tag.hasSuffix(".lock") else { return false }
        return tag.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
                UInt8(ascii: "."):
                true
            default: false
            }
        }
    }

    /// Refuses what cannot be a branch, a tag or a commit, or would lead out of the folder of references.
    static func checkRevision(_ revision: String) throws(HubError) {
        guard isSafeFile(revision), revision.utf8.count <= 255, !revision.hasPrefix("-") else {
            throw HubError.invalidName(
                revision,
                reason: "a revision is a branch, a tag or a commit, such as main"
            )
        }
    }

    static func isHexadecimal(_ text: String, digits: Int) -> Bool {
        text.utf8.count == digits
            && text.utf8.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            }
    }

    /// An entity tag without its quotes and its mark of weakness.
    static func tag(_ header: String) -> String {
        var text = header[...]
        if text.hasPrefix("W/") { text = text.dropFirst(2) }
        while text.hasPrefix("\"") { text = text.dropFirst() }
        while text.hasSuffix("\"") { text = text.dropLast() }
        return String(text)
    }

    /// A text from outside, short and without what a terminal would obey.
    static func quoted(_ text: String) -> String {
        let clean = text.unicodeScalars.prefix(120)
        return
            "\"\(TerminalText.field(String(String.UnicodeScalarView(clean))))\(text.unicodeScalars.count > 120 ? "…" : "")\""
    }

    private static func isPrintable(_ text: String) -> Bool {
        !text.unicodeScalars.contains(where: isControl)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            || scalar.properties.generalCategory == .format
    }
}
