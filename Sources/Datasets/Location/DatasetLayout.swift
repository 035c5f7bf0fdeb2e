import ImagePipeline

/// Which parts a place holds, and in which form.
struct DatasetLayout: Sendable {
    var train: DatasetSource?
    var validation: DatasetSource?
    /// Images of no part.
    var whole: DatasetSource?
    /// What was skipped next to the parts, one sentence each.
    private(set) var notes: [String] = []
    /// How labels are written.
    private let format: LabelFormat

    /// Recognises what is at a path.
    ///
    /// - Parameters:
    ///   - path: A folder, a list or an archive.
    ///   - labels: How labels are written.
    /// - Throws: ``DatasetError`` when it is nothing that is understood, or a list or archive is damaged.
    init(path: String, labels: LabelFormat) throws(DatasetError) {
        self.init(labels)
        guard isFolder(path) else {
            try takeFile(path)
            return
        }
        let contents = try listFolder(path)
        let names = contents.fileNames
        if try takeSplitFolders(contents, names, path) { return }
        if takeCIFAR(contents, names, path) || takeIDX(names, path) { return }
        if let failure = missingIDXLabels(names, path) { throw failure }
        if try takeLists(contents, names, path) { return }
        let archives = contents.entries.filter { $0.kind == .file && isArchive($0.name) }
        if contents.folders.isEmpty, !archives.isEmpty {
            try takeShards(try Self.inUse(archives, path), path)
            return
        }
        if contents.folders.isEmpty,
            let packed = contents.entries.first(where: {
                $0.kind == .file && PackedArchive.kind(name: $0.name) != nil
            })
        {
            throw PackedArchive.error(path: packed.path)
        }
        guard !contents.folders.isEmpty || !contents.oddFolders.isEmpty else { return }
        whole = .folder(path, lists: listNames(["labels"], names).map { "\(path)/\($0)" }, format)
    }

    private init(_ format: LabelFormat) { self.format = format }

    private mutating func takeFile(_ path: String) throws(DatasetError) {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        if isList(name) {
            try takeList([.init(path: path)], path)
        } else if isArchive(name) {
            try takeShards([.init(path: path)], path)
        } else {
            throw fileExists(path) ? PackedArchive.error(path: path) : .missing(path: path)
        }
    }

    var isEmpty: Bool { train == nil && validation == nil && whole == nil }

    /// Opens one of the parts, with what was skipped next to it.
    func open(
        _ source: DatasetSource,
        _ options: DecodingOptions
    ) throws(DatasetError) -> any ImageDataset {
        let dataset = MultiLabelled.marked(try source.open(options), format)
        return notes.isEmpty ? dataset : Annotated(dataset, notes: notes)
    }

    // MARK: - Forms

    /// `train/…` and `val/…`, with class folders or archives in them.
    private mutating func takeSplitFolders(
        _ contents: FolderContents,
        _ names: Set<String>,
        _ path: String
    ) throws(DatasetError) -> Bool {
        let folders = contents.folders
        let parts = try SplitNames(folders.map(\.name), in: path)
        let found = parts.used.compactMap { part in
            folders.first { $0.name == part.name }.map { (part.split, $0) }
        }
        guard !found.isEmpty, !hasListsInstead(of: found.map(\.1.path), contents, names),
            !areClasses(found.map(\.1), contents)
        else { return false }
        noteRest(parts, contents)
        var shards: [ShardIndex.Shard] = []
        for (split, folder) in found {
            let inside = try listFolder(folder.path)
            let archives = inside.entries.filter { $0.kind == .file && isArchive($0.name) }
            if inside.folders.isEmpty, !archives.isEmpty {
                shards += archives.map { .init(path: $0.path, split: split) }
                continue
            }
            let lists = names.filter { isList($0) && Self.agree(fileStem($0), folder.name) }
                .sorted(by: precedes).map { "\(path)/\($0)" }
            set(split, .folder(folder.path, lists: lists, format))
        }
        if !shards.isEmpty { try takeShards(shards, path) }
        return true
    }

    /// Whether two names mean the same split.
    private static func agree(_ one: String, _ other: String) -> Bool {
        guard let one = SplitName(one), let other = SplitName(other) else { return false }
        return one.split == other.split && one.isTest == other.isTest
    }

    /// Whether what looks like a part is a class, such as `train` beside `bus` and `car`: all hold plain images.
    private func areClasses(_ found: [FolderEntry], _ contents: FolderContents) -> Bool {
        guard found.count == 1, found.allSatisfy({ SplitName($0.name)?.split == .train }) else {
            return false
        }
        let others = contents.folders.filter { SplitName($0.name) == nil }
        return !others.isEmpty
            && (found + others).allSatisfy { entry in
                guard let inside = try? listFolder(entry.path) else { return false }
                return inside.folders.isEmpty
                    && inside.entries.contains { $0.kind == .file && isImage($0.name) }
            }
    }

    /// Tells what is next to the parts and not used.
    private mutating func noteRest(_ parts: SplitNames, _ contents: FolderContents) {
        if !parts.unused.isEmpty {
            let measuring = parts.used.last?.name ?? ""
            notes.append(
                "\(listed(parts.unused)) is not used, because \(measuring) is the validation split"
            )
        }
        let others = contents.folders.filter { SplitName($0.name) == nil && Self.holdsImages($0) }
        if !others.isEmpty {
            let names = parts.used.map(\.name).joined(separator: " and ")
            notes.append(
                "skipped \(counted(others.count, "folder")) with images next to \(names): "
                    + listed(others.map(\.name))
            )
        }
        if let note = FolderScan.strayNote(contents, beside: "the split folders") {
            notes.append(note)
        }
    }

    /// Whether a folder, or one in it, holds images.
    private static func holdsImages(_ folder: FolderEntry) -> Bool {
        func hasImages(_ contents: FolderContents) -> Bool {
            contents.entries.contains { $0.kind == .file && isImage($0.name) }
        }
        guard let inside = try? listFolder(folder.path) else { return false }
        return hasImages(inside)
            || inside.folders.prefix(100).contains {
                (try? listFolder($0.path)).map(hasImages) ?? false
            }
    }

    /// Whether the split folders contain plain files, with classes in lists next to them.
    private func hasListsInstead(
        of folders: [String],
        _ contents: FolderContents,
        _ names: Set<String>
    ) -> Bool {
        guard names.contains(where: isList) else { return false }
        return folders.allSatisfy { path in
            guard let inside = try? listFolder(path) else { return false }
            return inside.folders.isEmpty && !inside.entries.contains { isArchive($0.name) }
        }
    }

    private mutating func takeCIFAR(
        _ contents: FolderContents,
        _ names: Set<String>,
        _ path: String
    ) -> Bool {
        var files = CIFARFiles(folder: path, names: names)
        for name in CIFARFiles.folderNames where files == nil {
            guard let folder = contents.folders.first(where: { $0.name == name }),
                let inside = try? listFolder(folder.path)
            else { continue }
            files = CIFARFiles(folder: folder.path, names: inside.fileNames)
        }
        guard let files else { return false }
        for split in DatasetSplit.allCases where !files.files(of: split).isEmpty {
            set(split, .cifar(files, split))
        }
        return true
    }

    private mutating func takeIDX(_ names: Set<String>, _ path: String) -> Bool {
        for split in DatasetSplit.allCases {
            guard let images = idxFile(split.filePrefix + "-images", "idx3-ubyte", in: names),
                let labels = idxFile(split.filePrefix + "-labels", "idx1-ubyte", in: names)
            else { continue }
            set(split, .idx(images: "\(path)/\(images)", labels: "\(path)/\(labels)"))
        }
        return train != nil || validation != nil
    }

    /// Images in IDX form whose labels are absent.
    private func missingIDXLabels(_ names: Set<String>, _ path: String) -> DatasetError? {
        let split = DatasetSplit.allCases.first {
            idxFile($0.filePrefix + "-images", "idx3-ubyte", in: names) != nil
        }
        return split.map { .missing(path: "\(path)/\($0.filePrefix)-labels-idx1-ubyte") }
    }

    /// The name of an IDX file in any of the spellings in use.
    private func idxFile(_ start: String, _ end: String, in files: Set<String>) -> String? {
        ["-", "."].flatMap { ["\(start)\($0)\(end)", "\(start)\($0)\(end).gz"] }
            .first { files.contains($0) }
    }

    /// `train.csv` and `val.csv`, or one list with a column for the part.
    private mutating func takeLists(
        _ contents: FolderContents,
        _ names: Set<String>,
        _ path: String
    ) throws(DatasetError) -> Bool {
        let files = Dictionary(names.filter(isList).map { (fileStem($0), $0) }) { min($0, $1) }
        let parts = try SplitNames(files.keys, in: path)
        let bySplit = parts.used.compactMap { part in
            files[part.name].map { ImageList.File(path: "\(path)/\($0)", split: part.split) }
        }
        if !bySplit.isEmpty {
            try takeList(bySplit, path)
            return true
        }
        // Beside several folders a list is only checked against them: they may well be the classes.
        let lists = names.filter(isList).sorted(by: precedes)
        let chosen = listNames(["labels"], names).first ?? (lists.count == 1 ? lists.first : nil)
        let others = contents.folders.filter { DatasetSplit(name: $0.name) == nil }
        guard others.count <= 1, let chosen else { return false }
        try takeList([.init(path: "\(path)/\(chosen)")], path)
        return true
    }

    private mutating func takeList(_ files: [ImageList.File], _ path: String) throws(DatasetError) {
        let list = try ImageList(files, format)
        for split in DatasetSplit.allCases where list.splits.contains(split) {
            set(split, .list(list, path: path, split))
        }
        if train == nil, validation == nil { whole = .list(list, path: path, nil) }
    }

    private mutating func takeShards(
        _ shards: [ShardIndex.Shard],
        _ path: String
    ) throws(DatasetError) {
        let index = try ShardIndex.shared(shards)
        if let files = CIFARFiles(archive: index) {
            if let problem = index.problems.first { throw problem }
            for split in DatasetSplit.allCases where !files.files(of: split).isEmpty {
                set(split, .cifar(files, split))
            }
            return
        }
        for split in DatasetSplit.allCases
        where index.entries.contains(where: { $0.split == split }) {
            set(split, .shards(index, path: path, split))
        }
        if train == nil, validation == nil { whole = .shards(index, path: path, nil) }
    }

    /// The archives in use: all, or, if their names contain splits, those of the training split and of one other.
    private static func inUse(
        _ archives: [FolderEntry],
        _ path: String
    ) throws(DatasetError) -> [ShardIndex.Shard] {
        let words = archives.map { splitWord(in: $0.name) }
        let parts = try SplitNames(Set(words.compactMap(\.self)), in: path).used
        guard !parts.isEmpty else { return archives.map { .init(path: $0.path) } }
        return zip(archives, words).compactMap { archive, word in
            parts.first { $0.name == word }.map { .init(path: archive.path, split: $0.split) }
        }
    }

    private mutating func set(_ split: DatasetSplit, _ source: DatasetSource) {
        switch split {
        case .train: train = source
        case .validation: validation = source
        }
    }
}

/// Whether a file's name is that of a list.
func isList(_ name: String) -> Bool { ["csv", "tsv"].contains(fileExtension(name) ?? "") }

/// Whether a file's name is that of a tar archive, compressed or not.
func isArchive(_ name: String) -> Bool {
    let name = name.lowercased()
    return [".tar", ".tar.gz", ".tgz"].contains { name.hasSuffix($0) }
}

/// The lists among names that are called so, in order of preference.
private func listNames(_ stems: [String], _ names: Set<String>) -> [String] {
    stems.flatMap { ["\($0).csv", "\($0).tsv"] }.filter(names.contains)
}

/// The word for a part in an archive's name, such as `train` in `flowers-train-0007.tar`.
private func splitWord(in name: String) -> String? {
    name.lowercased().split { !$0.isLetter }.map(String.init).first { SplitName($0) != nil }
}
