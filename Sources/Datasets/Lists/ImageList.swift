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
    /// The label of each image; of one with several the first, and 0 where it has none.
    let labels: [Int32]
    /// All labels of each image, where images may have several or none.
    let labelSets: LabelSets?
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
    ///   - format: How labels are written.
    ///   - checksFiles: Whether every file is looked for.
    /// - Throws: ``DatasetError`` when a list cannot be read or understood.
    init(
        _ lists: [File],
        _ format: LabelFormat = LabelFormat(),
        checksFiles: Bool = true
    ) throws(DatasetError) {
        var rows = ListRows(format)
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
        guard !classes.names.isEmpty else {
            throw .badList(path: first.path, detail: "no image in it has a class")
        }
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
        classNames = classes.names
        if rows.isMultiLabel {
            let images = ImageRows(rows, classes, present)
            files = images.rows.map { rows.files[$0] }
            splits = images.rows.map { rows.splits[$0] }
            labels = files.indices.map { Int32(images.labels[$0].first ?? 0) }
            labelSets = images.labels
            notes = unused + rows.notes
        } else {
            if let twice = Self.contradiction(rows, classes, present, list: first.path) {
                problems.append(twice)
            }
            files = present.map { rows.files[$0] }
            splits = present.map { rows.splits[$0] }
            labels = present.map { classes.labels[$0] }
            labelSets = nil
            notes = unused + rows.notes + Self.notes(on: files, labels, classNames)
        }
        self.problems = problems
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
                detail:
                    "it assigns \(rows.files[row]) to both \(names[0]) and \(names[1]); if images may have several "
                    + "labels, add --multi-label on or name the column labels"
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

/// The images of lists whose rows may name a file several times.
private struct ImageRows {
    /// The first row of each image.
    private(set) var rows: [Int] = []
    /// The classes of all its rows.
    private(set) var labels = LabelSets()

    /// The same file in two splits is an image in each.
    private struct Key: Hashable {
        let file: [UInt8]
        let split: DatasetSplit?
    }

    init(_ rows: ListRows, _ classes: ListClasses, _ present: [Int]) {
        var places: [Key: Int] = [:]
        var sets: [[Int32]] = []
        let starts = rows.starts
        for row in present {
            let own = classes.labels[starts[row]..<(starts[row] + rows.counts[row])]
            let key = Key(file: Array(rows.files[row].utf8), split: rows.splits[row])
            if let place = places[key] {
                sets[place] += own
            } else {
                places[key] = sets.count
                sets.append(Array(own))
                self.rows.append(row)
            }
        }
        for set in sets { labels.append(set) }
    }
}

/// The cells of lists, as they are read.
struct ListRows {
    var files: [String] = []
    /// The classes of all rows, one after the other.
    var classes: [String] = []
    /// How many of them each row has.
    var counts: [Int] = []
    /// The number next to each class name; nil where there is none.
    var numbers: [Int?] = []
    var splits: [DatasetSplit?] = []
    /// Classes that a column stands for, whether images have them or not.
    var declared: [String] = []
    /// Whether images may have several classes or none.
    private(set) var isMultiLabel: Bool
    /// What was noticed, one sentence each.
    private(set) var notes: [String] = []
    private let format: LabelFormat
    /// What the words for the parts mean; nil where there is none.
    private var words: [SplitName?] = []
    /// Whether the classes are in a column of names, not of labels.
    var hasNames = false

    init(_ format: LabelFormat) {
        self.format = format
        isMultiLabel = format.isMultiLabel
    }

    /// Where the classes of each row begin.
    var starts: [Int] {
        var next = 0
        return counts.map { count in
            defer { next += count }
            return next
        }
    }

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
                    "its first line must name the columns, such as file,class or file,labels or file,label,class,split,"
                    + " or be an image and its class"
            )
        }
        if columns.number != nil { hasNames = true }
        var marks = columns.label == nil ? ClassMarks(columns.marks.map(\.name)) : nil
        isMultiLabel = isMultiLabel || columns.hasSeveral || marks != nil
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
            guard !file.isEmpty else {
                throw .badList(path: path, detail: "line \(text.line) lacks a file or a class")
            }
            if let label = columns.label {
                try add(cells, label, columns, path, text)
            } else {
                marks?.add(columns.marks.map { cells[$0.column] })
            }
            try addSplit(cells, columns, list, line: text.line)
            row = try nextRow()
        }
        if let marks { try take(marks, path) }
    }

    /// Takes over the classes of rows that have a column of 0 and 1 for each.
    private mutating func take(_ marks: ClassMarks, _ path: String) throws(DatasetError) {
        guard !marks.names.isEmpty else {
            throw .badList(
                path: path,
                detail:
                    "it has no column of classes: name one class, label or labels, or give each class a column of 0 and 1"
            )
        }
        declared += marks.names
        for names in marks.classes {
            classes += names
            counts.append(names.count)
            numbers += names.map { _ in nil }
        }
        notes += marks.notes.map { "\(path): \($0)" }
    }

    /// Adds the classes of a row.
    private mutating func add(
        _ cells: [String],
        _ label: Int,
        _ columns: ListColumns,
        _ path: String,
        _ text: DelimitedText
    ) throws(DatasetError) {
        let number = columns.number.flatMap { Int(cells[$0].trimmed) }
        guard !isMultiLabel else {
            let names = format.classes(in: cells[label])
            classes += names
            counts.append(names.count)
            // A number belongs to one class.
            numbers += names.map { _ in names.count == 1 ? number : nil }
            return
        }
        let name = text.isQuoted[label] ? cells[label] : cells[label].trimmed
        guard !name.isEmpty else {
            throw .badList(path: path, detail: "line \(text.line) lacks a file or a class")
        }
        classes.append(name)
        counts.append(1)
        numbers.append(number)
    }

    /// Adds the part of the data that a row belongs to.
    private mutating func addSplit(
        _ cells: [String],
        _ columns: ListColumns,
        _ list: ImageList.File,
        line: Int
    ) throws(DatasetError) {
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
        let starts = starts
        let places = kept.flatMap { starts[$0]..<(starts[$0] + counts[$0]) }
        files = kept.map { files[$0] }
        classes = places.map { classes[$0] }
        numbers = places.map { numbers[$0] }
        counts = kept.map { counts[$0] }
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
