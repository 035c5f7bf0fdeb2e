public import ImagePipeline

/// Images that a list names: a CSV or TSV file with a row for each image.
///
/// The first row names the columns: `file` (or `path`, `filename`, `image` …), `class` for a name or `label` for a name
/// or a number, and perhaps `split` with `train` or `val`. Without it the first column is the file, the second its
/// class. Images may have several classes, or none, in a column `labels`, with `|` between them, or where each class has a
/// column with 0 or 1. Files are relative to the list's folder. Class names are numbered in the order of their code points, or by the
/// numbers in a column `label` next to `class`; where there are only numbers, a file `classes.txt` next to the list
/// names them, a line each.
public struct ListDataset: FileDataset {
    /// The classes' names.
    public let classNames: [String]
    /// How files are decoded.
    public let options: DecodingOptions
    /// What was noticed when the list was read.
    public let notes: [String]

    /// The paths of the images' files.
    public let files: [String]
    /// The label of each file; of a file with several the first, and 0 where it has none.
    public let labels: [Int32]
    /// All labels of each file, where files may have several or none.
    private let labelSets: LabelSets?

    /// Reads a list.
    ///
    /// - Parameters:
    ///   - path: The list.
    ///   - split: The part wanted where the list has a column for it; `nil` for all rows.
    ///   - labels: How labels are written.
    ///   - options: How files are decoded.
    /// - Throws: ``DatasetError`` when the list cannot be read or understood, names files that are not there, or has
    ///   nothing for the part.
    public init(
        path: String,
        split: DatasetSplit? = nil,
        labels: LabelFormat = LabelFormat(),
        options: DecodingOptions = DecodingOptions()
    ) throws(DatasetError) {
        let list = try ImageList([.init(path: path)], labels)
        if let problem = list.problems.first { throw problem }
        self.init(list, split: split, options: options)
        if let split, files.isEmpty { throw .missingSplit(path: path, split: split) }
    }

    /// Takes the rows of one part, or all where no part is named.
    init(_ list: ImageList, split: DatasetSplit?, options: DecodingOptions) {
        let rows = list.files.indices.filter { split == nil || list.splits[$0] == split }
        classNames = list.classNames
        notes = list.notes
        self.options = options
        files = rows.map { list.files[$0] }
        labels = rows.map { list.labels[$0] }
        labelSets = list.labelSets?.selecting(rows)
    }

    /// Whether an image may have several labels, or none.
    public var isMultiLabel: Bool { labelSets != nil }

    /// All labels of an image.
    ///
    /// - Parameter index: The image.
    /// - Returns: Indices into the classes' names.
    public func labels(at index: Int) -> [Int] { labelSets?[index] ?? [label(at: index)] }
}
