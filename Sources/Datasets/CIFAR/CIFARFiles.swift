import Storage

/// The files of CIFAR-10 or CIFAR-100, in a folder or in the archive that they come in.
struct CIFARFiles: Sendable {
    /// Which set, and in which of its two forms.
    enum Kind: Sendable, CaseIterable {
        case binary10
        case python10
        case binary100
        case python100
    }

    let kind: Kind
    /// The folder or archive.
    let path: String
    private let names: Set<String>
    private let index: ShardIndex?
    private let prefix: String

    /// The folders that the official archives unpack to.
    static let folderNames = [
        "cifar-10-batches-bin", "cifar-10-batches-py", "cifar-100-binary", "cifar-100-python",
    ]

    /// Recognises the files of a folder, by their names; nil where they are others.
    init?(folder: String, names: Set<String>) {
        guard let kind = Self.kind(of: names) else { return nil }
        self.kind = kind
        self.names = names
        path = folder
        index = nil
        prefix = ""
    }

    /// Recognises the files of an archive; nil where they are others.
    init?(archive index: ShardIndex) {
        guard index.shards.count == 1, index.entries.isEmpty else { return nil }
        let all = index.others.map(\.file.name)
        // The official archives hold one folder.
        let folder = all.first.flatMap { $0.lastIndex(of: "/").map { String(all[0][...$0]) } } ?? ""
        let names = Set(
            all.filter { $0.hasPrefix(folder) }.map { String($0.dropFirst(folder.count)) }
        )
        guard let kind = Self.kind(of: names) else { return nil }
        self.kind = kind
        self.names = names
        self.index = index
        path = index.shards[0].path
        prefix = folder
    }

    private static func kind(of names: Set<String>) -> Kind? {
        func hasBatch(_ ending: String) -> Bool {
            names.contains("test_batch\(ending)")
                || (1...5).contains { names.contains("data_batch_\($0)\(ending)") }
        }
        if hasBatch(".bin") { return .binary10 }
        if hasBatch("") { return .python10 }
        if names.contains("fine_label_names.txt"),
            !names.isDisjoint(with: ["train.bin", "test.bin"])
        {
            return .binary100
        }
        if names.contains("meta"), !names.isDisjoint(with: ["train", "test"]) { return .python100 }
        return nil
    }

    /// The number of labels that the set has.
    var classCount: Int { kind == .binary10 || kind == .python10 ? 10 : 100 }

    /// The files of a part that are there, in order.
    func files(of split: DatasetSplit) -> [String] {
        let wanted =
            switch (kind, split) {
            case (.binary10, .train): (1...5).map { "data_batch_\($0).bin" }
            case (.binary10, .validation): ["test_batch.bin"]
            case (.python10, .train): (1...5).map { "data_batch_\($0)" }
            case (.python10, .validation): ["test_batch"]
            case (.binary100, .train): ["train.bin"]
            case (.binary100, .validation): ["test.bin"]
            case (.python100, .train): ["train"]
            case (.python100, .validation): ["test"]
            }
        return wanted.filter(names.contains)
    }

    /// How a file is called in messages.
    func name(of file: String) -> String {
        index == nil ? "\(path)/\(file)" : "\(path): \(prefix)\(file)"
    }

    /// The most bytes of a file; the largest of the official ones have 155 million.
    private static let limit = 1 << 30

    /// Reads a file; nil where it is absent.
    func read(_ file: String) throws(DatasetError) -> [UInt8]? {
        guard names.contains(file) else { return nil }
        guard let index else { return try readSetFile("\(path)/\(file)", limit: Self.limit) }
        guard let member = index.others.first(where: { $0.file.name == prefix + file })?.file else {
            return nil
        }
        guard member.size <= Self.limit else {
            throw .malformed(path: name(of: file), detail: "it is larger than a CIFAR file can be")
        }
        return try DatasetError.of(index.file(0).read(at: member.offset, count: member.size))
    }
}
