import ImagePipeline
import Storage

/// The rows of one list or several: files, classes and the part of the data that each image belongs to.
final class ImageList: Sendable {
    /// One list, and the part that all its images belong to; nil where a column says, or nothing does.
    struct File: Sendable, Equatable {
        let path: String
        var split: DatasetSplit?
    }

    let classNames: [String]
    let files: [String]
    let labels: [Int32]
    /// The part of each image; nil where the list does not say.
    let splits: [DatasetSplit?]
    /// What was noticed, one sentence each.
    let notes: [String]
    /// What is wrong with single rows.
    let problems: [DatasetError]

    /// Reads lists.
    ///
    /// - Parameters:
    ///   - lists: The lists, whose classes are put together.
    ///   - checksFiles: Whether every file is looked for.
    /// - Throws: ``DatasetError`` when a list cannot be read or understood.
    init(_ lists: [File], checksFiles: Bool = true) throws(DatasetError) {
        var rows = ListRows()
        for list in lists { try rows.read(list) }
        if checksFiles { rows.findFiles() }
        let unused = rows.dropUnusedParts()
        guard let first = lists.first, !rows.files.isEmpty else {
            throw .badList(
                path: lists.map(\.path).joined(separator: ", "),
                detail: "it names no images"
            )
        }
        let classes = try ListClasses(rows, folder: parentFolder(first.path), path: first.path)
        var problems: [DatasetError] = []
        var present = Array(rows.files.indices)
        if checksFiles {
            present = rows.files.indices.filter { fileExists(rows.files[$0]) }
            let missing = rows.files.count - present.count
            if missing > 0 {
                let names = rows.files.lazy.filter { !fileExists($0) }.prefix(3)
                problems.append(
                    .missingFiles(list: first.path, count: missing, first: Array(names))
                )
            }
        }
        if let twice = Self.contradiction(rows, classes, present, list: first.path) {
            problems.append(twice)
        }
        classNames = classes.names
        files = present.map { rows.files[$0] }
        labels = present.map { classes.labels[$0] }
        splits = present.map { rows.splits[$0] }
        self.problems = problems
        notes = unused + Self.notes(on: files, labels, classNames)
    }

    /// The first image that rows give different classes; nil where there is none.
    private static func contradiction(
        _ rows: ListRows,
        _ classes: ListClasses,
        _ present: [Int],
        list: String
    ) -> DatasetError? {
        // By bytes: on most systems two forms of a name are two files.
        var first: [[UInt8]: Int] = [:]
        first.reserveCapacity(present.count)
        for row in present {
            let earlier = first.updateValue(row, forKey: Array(rows.files[row].utf8))
            guard let earlier, classes.labels[earlier] != classes.labels[row] else { continue }
            let names = [earlier, row].map { classes.names[Int(classes.labels[$0])] }
            return .badList(
                path: list,
                detail: "it assigns \(rows.files[row]) to both \(names[0]) and \(names[1])"
            )
        }
        return nil
    }

    /// Tells of images in folders that are named after another class.
    private static func notes(
        on files: [String],
        _ labels: [Int32],
        _ classNames: [String]
    ) -> [String] {
        let known = Set(classNames)
        let strange = files.indices.filter { index in
            let folder = parentFolder(files[index])
            let name = pathComponents(folder).last ?? ""
            return name != classNames[Int(labels[index])] && known.contains(name)
        }
        guard let first = strange.first else { return [] }
        let count = strange.count
        return [
            "\(counted(count, "image")) \(count == 1 ? "is" : "are") in a folder named after another class than in the list,"
                + " such as \(files[first]), which it calls \(classNames[Int(labels[first])]); the list is used"
        ]
    }
}

/// The folder that contains a path's last part.
func parentFolder(_ path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// The parts of a path between its slashes, which a mark that combines with one does not hide.
func pathComponents(_ path: String) -> [String] {
    path.unicodeScalars.split(separator: "/").map { String($0) }
}

/// The cells of lists, as they are read.
struct ListRows {
    var files: [String] = []
    var classes: [String] = []
    /// The number next to each class name; nil where there is none.
    var numbers: [Int?] = []
    var splits: [DatasetSplit?] = []
    /// What the words for the parts mean; nil where there is none.
    private var words: [SplitName?] = []
    /// Whether the classes are in a column of names, not of labels.
    var hasNames = false

    /// Adds the rows of a list; files are relative to its folder.
    mutating func read(_ list: ImageList.File) throws(DatasetError) {
        let path = list.path
        var text = DelimitedText(try readSetFile(path), path: path)
        func nextRow() throws(DatasetError) -> [String]? {
            do throws(StorageError) { return try text.next() } catch {
                throw .badList(path: path, detail: error.reason)
            }
        }
        guard let firstRow = try nextRow() else { return }
        guard let columns = ListColumns(firstRow: firstRow) else {
            throw .badList(
                path: path,
                detail:
                    "its first line must name the columns, such as file,class or file,label,class,split,"
                    + " or be an image and its class"
            )
        }
        if columns.number != nil { hasNames = true }
        var base: String?
        var row = columns.hasHeader ? try nextRow() : firstRow
        while let cells = row {
            guard cells.count >= columns.width else {
                throw .badList(
                    path: path,
                    detail:
                        "line \(text.line) has \(cells.count) of at least \(columns.width) cells"
                )
            }
            let file = cells[columns.file]
            let folder = base ?? Self.base(of: path, firstFile: file)
            base = folder
            files.append(file.hasPrefix("/") || folder == "." ? file : "\(folder)/\(file)")
            try add(cells, columns, list, text)
            row = try nextRow()
        }
    }

    private mutating func add(
        _ cells: [String],
        _ columns: ListColumns,
        _ list: ImageList.File,
        _ text: DelimitedText
    ) throws(DatasetError) {
        let (cell, line) = (cells[columns.label], text.line)
        let name = text.isQuoted[columns.label] ? cell : cell.trimmed
        guard !name.isEmpty, !cells[columns.file].isEmpty else {
            throw .badList(path: list.path, detail: "line \(line) lacks a file or a class")
        }
        classes.append(name)
        numbers.append(columns.number.flatMap { Int(cells[$0].trimmed) })
        guard list.split == nil, let column = columns.split, !cells[column].trimmed.isEmpty else {
            splits.append(list.split)
            words.append(nil)
            return
        }
        guard let word = SplitName(cells[column]) else {
            throw .badList(
                path: list.path,
                detail: "line \(line) has the split \"\(cells[column])\"; use train or val"
            )
        }
        splits.append(word.split)
        words.append(word)
    }

    /// Leaves out the rows of `test` where there are some of `val`, as folders of these names are used.
    ///
    /// - Returns: Notes about it.
    mutating func dropUnusedParts() -> [String] {
        let hasTest = words.contains { $0?.isTest == true }
        let hasValidation = words.contains {
            $0.map { $0.split == .validation && !$0.isTest } == true
        }
        guard hasTest, hasValidation else { return [] }
        let kept = words.indices.filter { words[$0]?.isTest != true }
        let count = words.count - kept.count
        files = kept.map { files[$0] }
        classes = kept.map { classes[$0] }
        numbers = kept.map { numbers[$0] }
        splits = kept.map { splits[$0] }
        words = kept.map { words[$0] }
        return [
            "skipped \(counted(count, "image")) of the split test, because there is a validation split"
        ]
    }

    /// Gives files their names on the disk where the list spells them in another Unicode normal form.
    fileprivate mutating func findFiles() {
        var finder = FileFinder()
        for row in files.indices { files[row] = finder.find(files[row]) }
    }

    /// The folder that names are relative to: that of the list, or one of the usual ones in it.
    private static func base(of list: String, firstFile: String) -> String {
        let folder = parentFolder(list)
        guard !firstFile.hasPrefix("/"), !fileExists("\(folder)/\(firstFile)") else {
            return folder
        }
        let own = pathComponents(list).last?.split(separator: ".").first.map(String.init)
        return [own, "images"].compactMap { $0 }.map { "\(folder)/\($0)" }
            .first { fileExists("\($0)/\(firstFile)") } ?? folder
    }
}

/// The most bytes of a list, a label or an index of names.
private let textLimit = 1 << 31

/// Reads a whole file of a set that is not an image.
func readSetFile(_ path: String, limit: Int = textLimit) throws(DatasetError) -> [UInt8] {
    guard fileExists(path) else { throw .missing(path: path) }
    let file = try DatasetError.of(OpenFile(path: path))
    guard file.count <= limit else {
        throw .unreadableSet(path: path, detail: "it is larger than \(limit >> 20) MiB")
    }
    return try DatasetError.of(file.bytes(0..<file.count))
}
