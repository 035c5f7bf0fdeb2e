public import ImagePipeline

/// Pictures in folders that are named after their classes: `DIR/CLASS/**/*.{jpg,jpeg,png,webp}`.
///
/// Classes are numbered in the order of their names' Unicode code points, as in torchvision's `ImageFolder`.
/// Hidden names are left out, folders inside a class are searched, links are followed, but not in circles.
public struct ImageFolder: ImageDataset {
    /// The endings of the files that are taken for pictures, in any case.
    public static let extensions: Set<String> = ["jpg", "jpeg", "png", "webp"]

    /// The folder.
    public let path: String
    /// The classes' names: those of the folders.
    public let classNames: [String]
    /// How files are decoded.
    public let options: DecodingOptions
    /// What was left out of the folder: links in circles, links to nothing.
    public let notes: [String]

    private let files: [String]
    private let labels: [Int32]

    /// Lists a folder of class folders.
    ///
    /// - Parameters:
    ///   - path: The folder.
    ///   - options: How files are decoded.
    /// - Throws: ``DatasetError`` when the folder is missing, has no classes, a class has no picture, or a name is
    ///   not UTF-8.
    public init(path: String, options: DecodingOptions = DecodingOptions()) throws(DatasetError) {
        let scan = try FolderScan(path: path)
        guard scan.oddNames.isEmpty else { throw .namesNotUTF8(scan.oddNames) }
        guard !scan.files.isEmpty else { throw .noPictures(path: path) }
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

    /// The number of pictures.
    public var count: Int { files.count }

    /// The label of a picture.
    ///
    /// - Parameter index: The picture.
    /// - Returns: An index into the classes' names.
    public func label(at index: Int) -> Int { Int(labels[index]) }

    /// Reads and decodes a picture.
    ///
    /// - Parameter index: The picture.
    /// - Returns: The picture.
    /// - Throws: ``ImageError`` when the file cannot be read or decoded.
    public func image(at index: Int) throws(ImageError) -> Image {
        try Image(contentsOf: files[index], options: options)
    }

    /// Reads a picture's file without decoding it.
    ///
    /// - Parameter index: The picture.
    /// - Returns: The file.
    /// - Throws: ``ImageError`` when the file cannot be read or is no picture.
    public func encodedImage(at index: Int) throws(ImageError) -> EncodedImage? {
        try EncodedImage(contentsOf: files[index], options: options)
    }

    /// The path of a picture's file.
    ///
    /// - Parameter index: The picture.
    /// - Returns: The name.
    public func name(at index: Int) -> String { files[index] }

    /// The path of a picture's file.
    ///
    /// - Parameter index: The picture.
    /// - Returns: The path.
    public func filePath(at index: Int) -> String? { files[index] }

    /// The bytes of a picture's file.
    ///
    /// - Parameter index: The picture.
    /// - Returns: The bytes.
    /// - Throws: ``ImageError`` when the file cannot be read.
    public func fileBytes(at index: Int) throws(ImageError) -> [UInt8]? {
        try readFile(at: files[index])
    }

    /// The pictures in a folder and the folders in it, sorted folder by folder; nil where the path is no folder.
    package static func pictures(below path: String) throws(DatasetError) -> [String]? {
        guard isFolder(path), let id = FolderID(path) else { return nil }
        var walk = FolderWalk(above: path)
        try walk.visit(path, id)
        guard walk.oddNames.isEmpty else { throw .namesNotUTF8(walk.oddNames) }
        return walk.files
    }
}
