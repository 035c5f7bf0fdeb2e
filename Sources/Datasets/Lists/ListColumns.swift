import Storage

/// Which column of a list means what.
struct ListColumns: Equatable {
    let file: Int
    /// The column of class names, or of labels where there are no names.
    let label: Int
    /// The column of numbers next to one of names.
    let number: Int?
    let split: Int?
    /// Whether the first row names the columns.
    let hasHeader: Bool

    /// The names in use for each, in order of preference.
    private static let fileNames = [
        "file", "path", "filename", "file_name", "filepath", "file_path", "image", "image_path",
        "img", "img_path", "image_id", "picture",
    ]
    private static let classNames = ["class", "class_name", "classname", "label_name", "category"]
    private static let labelNames = ["label", "target", "label_id", "class_id", "class_index", "y"]
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
            guard let label = name ?? number else { return nil }
            self.file = file
            self.label = label
            self.number = name == nil ? nil : number
            split = column(Self.splitNames)
            hasHeader = true
        } else {
            guard row.count >= 2, isImage(row[0]) else { return nil }
            (file, label, number, hasHeader) = (0, 1, nil, false)
            split = row.count > 2 && DatasetSplit(name: row[2]) != nil ? 2 : nil
        }
    }

    /// The number of cells that a row must have at least.
    var width: Int { 1 + max(file, label, number ?? 0, split ?? 0) }
}
