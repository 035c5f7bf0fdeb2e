import Storage

/// Which column of a list means what.
struct ListColumns {
    let file: Int
    /// The column of class names, or of labels where there are no names; nil where each class has a column of its own.
    let label: Int?
    /// Whether the cells of that column may have several classes, or none.
    let hasSeveral: Bool
    /// Where each class has a column of its own with 0 or 1: the columns that may be classes, and their names.
    let marks: [(column: Int, name: String)]
    /// The column of numbers next to one of names.
    let number: Int?
    let split: Int?
    /// Whether the first row names the columns.
    let hasHeader: Bool

    /// The names in use for each, in order of preference.
    private static let fileNames = [
        "file", "path", "filename", "file_name", "filepath", "file_path", "image", "image_path",
        "img", "img_path", "image_id", "image_name", "image index", "picture",
    ]
    private static let classNames = ["class", "class_name", "classname", "label_name", "category"]
    private static let labelNames = ["label", "target", "label_id", "class_id", "class_index", "y"]
    /// Columns whose cells may have several classes.
    private static let severalNames = ["labels", "finding labels", "tags"]
    private static let splitNames = ["split", "subset", "partition", "set"]

    /// Finds the columns by the first row.
    ///
    /// Without names of columns the first is the file and the second the class.
    ///
    /// - Returns: The columns; nil where the row is neither names of columns nor an image with its class.
    init?(firstRow row: [String]) {
        let names = row.map { $0.lowercased().trimmed }
        func column(_ known: [String]) -> Int? {
            known.lazy.compactMap { names.firstIndex(of: $0) }.first
        }
        if let file = column(Self.fileNames) {
            let (name, number) = (column(Self.classNames), column(Self.labelNames))
            let several = name == nil && number == nil ? column(Self.severalNames) : nil
            let split = column(Self.splitNames)
            self.file = file
            label = name ?? number ?? several
            hasSeveral = several != nil
            self.number = name == nil ? nil : number
            self.split = split
            marks =
                label == nil
                ? row.indices.filter { $0 != file && $0 != split && !names[$0].isEmpty }
                    .map { ($0, row[$0].trimmed) } : []
            guard label != nil || !marks.isEmpty else { return nil }
            hasHeader = true
        } else {
            guard row.count >= 2, isImage(row[0]) else { return nil }
            (file, label, number, hasHeader) = (0, 1, nil, false)
            (hasSeveral, marks) = (false, [])
            split = row.count > 2 && DatasetSplit(name: row[2]) != nil ? 2 : nil
        }
    }

    /// The number of cells that a row must have at least.
    var width: Int { 1 + max(file, label ?? 0, number ?? 0, split ?? 0, marks.last?.column ?? 0) }
}
