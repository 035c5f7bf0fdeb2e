/// The name of a split, in any of the usual spellings: `train`, `Training`, `train_set`, `VAL`,
/// `valid`, `dev`, `test-images`.
struct SplitName: Hashable {
    let split: DatasetSplit
    /// Whether it is test data: it measures only where there is no validation data.
    let isTest: Bool
    /// Whether the name alone makes a part; others, such as `dev`, could be classes and do so only beside training data.
    let isCertain: Bool

    private static let training: Set<String> = ["train", "training", "trn"]
    private static let validation: Set<String> = [
        "val", "valid", "validation", "validate", "validating", "dev", "devel", "development",
        "eval", "evaluation",
    ]
    private static let test: Set<String> = ["test", "testing", "tst"]
    private static let certain: Set<String> = [
        "train", "training", "val", "valid", "validation", "test",
    ]
    /// Words that may follow.
    private static let additions: Set<String> = [
        "set", "data", "dataset", "split", "part", "images", "imgs",
    ]

    /// - Returns: nil if it is not the name of a split.
    init?(_ name: some StringProtocol) {
        var words = name.lowercased().unicodeScalars
            .split { "_- .\t\u{A0}".unicodeScalars.contains($0) }.map { String($0) }
        if words.count == 2, Self.additions.contains(words[1]) { words.removeLast() }
        guard words.count == 1, var word = words.first else { return nil }
        if word.hasSuffix("set") { word = String(word.dropLast(3)) }
        (isTest, isCertain) = (Self.test.contains(word), Self.certain.contains(word))
        if Self.training.contains(word) {
            split = .train
        } else if isTest || Self.validation.contains(word) {
            split = .validation
        } else {
            return nil
        }
    }
}

/// Which of several names are the parts of a data set.
struct SplitNames {
    /// The names in use, that of the training part first.
    let used: [(split: DatasetSplit, name: String)]
    /// The names of test data beside validation data.
    let unused: [String]

    /// Chooses among names.
    ///
    /// - Parameters:
    ///   - names: The names, each once.
    ///   - path: Where they are, for the error.
    /// - Throws: ``DatasetError/ambiguousSplit(path:split:names:)`` when two mean the same split.
    init(_ names: some Sequence<String>, in path: String) throws(DatasetError) {
        var known = names.compactMap { name in SplitName(name).map { (name: name, meaning: $0) } }
        let hasTraining = known.contains { $0.meaning.split == .train }
        let hasBoth = hasTraining && known.contains { $0.meaning.split == .validation }
        if !hasBoth, !known.contains(where: \.meaning.isCertain) { known = [] }
        if !hasTraining { known = known.filter(\.meaning.isCertain) }
        let test = known.filter(\.meaning.isTest).map(\.name)
        let validation = known.filter { $0.meaning.split == .validation && !$0.meaning.isTest }
            .map(\.name)
        let parts: [(DatasetSplit, [String])] = [
            (.train, known.filter { $0.meaning.split == .train }.map(\.name)),
            (.validation, validation.isEmpty ? test : validation),
        ]
        for (split, names) in parts where names.count > 1 {
            throw .ambiguousSplit(path: path, split: split, names: names.sorted(by: precedes))
        }
        used = parts.compactMap { split, names in names.first.map { (split, $0) } }
        unused = validation.isEmpty ? [] : test.sorted(by: precedes)
    }
}

extension DatasetSplit {
    /// The split that a word means; nil for other words.
    init?(name: some StringProtocol) {
        guard let name = SplitName(name) else { return nil }
        self = name.split
    }
}
