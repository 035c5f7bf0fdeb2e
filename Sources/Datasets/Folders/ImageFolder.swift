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
    /// The label of each file.
    public let labels: [Int32]

    /// Lists a folder of class folders.
    ///
    /// - Parameters:
    ///   - path: The folder.
    ///   - options: How files are decoded.
    /// - Throws: ``DatasetError`` when the folder is missing, has no classes, a class has no image, or a name is
    ///   not UTF-8.
    public init(path: String, options: DecodingOptions = DecodingOptions()) throws(DatasetError) {
        let scan = try FolderScan(path: path)
        guard scan.oddNames.isEmpty else { throw .namesNotUTF8(scan.oddNames) }
        guard scan.sameNames.isEmpty else {
            throw .sameClassNames(path: path, names: scan.sameNames)
        }
        guard !scan.files.isEmpty else { throw .noImages(path: path) }
        guard scan.emptyClasses.isEmpty else {
            throw .emptyClasses(path: path, names: scan.emptyClasses)
        }
        self.init(scan, path: path, options: options)
    }

    /// Takes what a scan found, whatever is odd about it.
    init(_ scan: FolderScan, path: String, options: DecodingOptions) {
        self.path = path
        self.options = options
        classNames = scan.classNames
        notes = scan.notes
        files = scan.files
        labels = scan.labels
    }

    /// The images in a folder and the folders in it, sorted folder by folder; nil where the path is not a folder.
    package static func images(below path: String) throws(DatasetError) -> [String]? {
        guard isFolder(path), let id = FolderID(path) else { return nil }
        var walk = FolderWalk(above: path)
        try walk.visit(path, id)
        guard walk.oddNames.isEmpty else { throw .namesNotUTF8(walk.oddNames) }
        return walk.files
    }
}
