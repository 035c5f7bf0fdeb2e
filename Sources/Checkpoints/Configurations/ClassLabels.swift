import Storage

/// What the classes of a model are called, in the order of its outputs.
public struct ClassLabels: Sendable, Equatable {
    /// A name for people for each class, such as "tench, Tinca tinca".
    public let names: [String]

    /// A short, unique name for each class, such as the synset "n01440764"; nil where there is none.
    public let identifiers: [String]?

    /// Whether the names are only numbers, placeholders for unknown names.
    public let arePlaceholders: Bool

    /// Creates labels.
    ///
    /// - Parameters:
    ///   - names: A name for each class.
    ///   - identifiers: A short name for each class, as many as there are names; else they are dropped.
    public init(names: [String], identifiers: [String]? = nil) {
        self.names = names
        self.identifiers = identifiers?.count == names.count ? identifiers : nil
        arePlaceholders = false
    }

    /// Creates numbers in place of names.
    ///
    /// - Parameter count: The number of classes.
    public init(placeholders count: Int) {
        names = (0..<count).map(String.init)
        identifiers = nil
        arePlaceholders = true
    }

    /// Reads names from a text file, one class a line in the order of the model's outputs.
    ///
    /// Where every line begins with a WordNet synset (`n01440764 tench, Tinca tinca`), that is the
    /// class's identifier and the rest its name.
    ///
    /// - Parameter path: The file, UTF-8.
    /// - Throws: ``CheckpointError`` when it cannot be read, is no text or holds no line.
    public init(contentsOf path: String) throws(CheckpointError) {
        let bytes = try CheckpointError.of(try SmallFile.read(path))
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CheckpointError.malformed(file: path, reason: "it is not UTF-8")
        }
        let lines = text.split(whereSeparator: \.isNewline).map(Self.trimmed).filter { !$0.isEmpty }
        guard !lines.isEmpty else {
            throw CheckpointError.malformed(file: path, reason: "it contains no class names")
        }
        let parts = lines.map { $0.split(separator: " ", maxSplits: 1).map(String.init) }
        if parts.allSatisfy({ Self.isSynset($0[0]) }) {
            // A file of synsets alone has them for names too.
            self.init(names: parts.map { $0.last ?? "" }, identifiers: parts.map { $0[0] })
        } else {
            self.init(names: lines)
        }
    }

    /// The class that a folder's name represents.
    ///
    /// - Parameter folder: A name or an identifier.
    /// - Returns: The class's index; nil where no class, or more than one, has that name. Names are compared by canonical
    ///   equivalence, so that the Unicode normal form does not matter, and where none is equal without the spaces around
    ///   them, which files of names do not keep.
    public func index(of folder: String) -> Int? {
        if let identifiers, let index = identifiers.firstIndex(of: folder) { return index }
        if let first = names.firstIndex(of: folder) {
            return names.lastIndex(of: folder) == first ? first : nil
        }
        let bare = Self.trimmed(folder[...])
        let found = names.indices.filter { Self.trimmed(names[$0][...]) == bare }
        return found.count == 1 ? found.first : nil
    }

    private static func trimmed(_ line: Substring) -> String {
        var line = line
        while line.first?.isWhitespace == true { line.removeFirst() }
        while line.last?.isWhitespace == true { line.removeLast() }
        return String(line)
    }

    private static func isSynset(_ word: String) -> Bool {
        word.utf8.count == 9 && word.hasPrefix("n")
            && word.utf8.dropFirst().allSatisfy { 48...57 ~= $0 }
    }
}
