public import ImagePipeline

/// Images in folders that are named after their classes: `DIR/CLASS/**/*.{jpg,jpeg,png,webp}`.
///
/// Classes are numbered in the order of their names' Unicode code points, as in torchvision's `ImageFolder`.
/// Hidden names are left out, folders inside a class are searched, links are followed, but not in circles.
public struct ImageFolder: FileDataset {
    /// The endings of the files that are taken for images, in any case.
    public static let extensions: Set<String> = ["jpg", "jpeg", "png", "webp"]

    /// The folder.
    public let path: String
    /// The classes' names: those of the folders.
    public let classNames: [String]
    /// How files are decoded.
    public let options: DecodingOptions
    /// What was left out of the folder: links in circles, links to nothing.
    public let notes: [String]

    /// The paths of the images' files.
    public let files: [String]
    /// The label of each file; of a file in several class folders the first.
    public let labels: [Int32]
    /// All labels of each file, where a file may be in several class folders.
    private let labelSets: LabelSets?

    /// Lists a folder of class folders.
    ///
    /// - Parameters:
    ///   - path: The folder.
    ///   - labels: Whether links in several class folders to one file are one image with several labels.
    ///   - options: How files are decoded.
    /// - Throws: ``DatasetError`` when the folder is missing, has no classes, a class has no image, or a name is
    ///   not UTF-8.
    public init(
        path: String,
        labels: LabelFormat = LabelFormat(),
        options: DecodingOptions = DecodingOptions()
    ) throws(DatasetError) {
        let scan = try FolderScan(path: path)
        guard scan.oddNames.isEmpty else { throw .namesNotUTF8(scan.oddNames) }
        guard scan.sameNames.isEmpty else {
            throw .sameClassNames(path: path, names: scan.sameNames)
        }
        guard !scan.files.isEmpty else { throw .noImages(path: path) }
        guard scan.emptyClasses.isEmpty else {
            throw .emptyClasses(path: path, names: scan.emptyClasses)
        }
        self.init(scan, path: path, labels: labels, options: options)
    }

    /// Takes what a scan found, whatever is odd about it.
    init(
        _ scan: FolderScan,
        path: String,
        labels format: LabelFormat = LabelFormat(),
        options: DecodingOptions
    ) {
        self.path = path
        self.options = options
        classNames = scan.classNames
        notes = scan.notes
        guard format.isMultiLabel else {
            (files, labels, labelSets) = (scan.files, scan.labels, nil)
            return
        }
        // A file is the same one however many links lead to it.
        var places: [FolderID: Int] = [:]
        var (first, sets): ([Int], [[Int32]]) = ([], [])
        for (index, file) in scan.files.enumerated() {
            let id = FolderID(file)
            if let place = id.flatMap({ places[$0] }) {
                sets[place].append(scan.labels[index])
            } else {
                if let id { places[id] = sets.count }
                first.append(index)
                sets.append([scan.labels[index]])
            }
        }
        files = first.map { scan.files[$0] }
        labels = first.map { scan.labels[$0] }
        var labelSets = LabelSets()
        for set in sets { labelSets.append(set) }
        self.labelSets = labelSets
    }

    /// Whether an image may have several labels, or none.
    public var isMultiLabel: Bool { labelSets != nil }

    /// All labels of an image.
    ///
    /// - Parameter index: The image.
    /// - Returns: Indices into the classes' names.
    public func labels(at index: Int) -> [Int] { labelSets?[index] ?? [label(at: index)] }

    /// The images in a folder and the folders in it, sorted folder by folder; nil where the path is not a folder.
    package static func images(below path: String) throws(DatasetError) -> [String]? {
        guard isFolder(path), let id = FolderID(path) else { return nil }
        var walk = FolderWalk(above: path)
        try walk.visit(path, id)
        guard walk.oddNames.isEmpty else { throw .namesNotUTF8(walk.oddNames) }
        return walk.files
    }
}
