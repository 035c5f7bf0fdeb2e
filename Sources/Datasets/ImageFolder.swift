public import ImagePipeline

/// Pictures in folders that are named after their classes: `DIR/CLASS/**/*.{jpg,jpeg,png,webp}`.
///
/// Classes are numbered in the order of their names' Unicode code points, as in torchvision's `ImageFolder`.
/// Hidden names are left out, folders inside a class are searched, links are followed.
public struct ImageFolder: ImageDataset {
    /// The endings of the files that are taken for pictures, in any case.
    public static let extensions: Set<String> = ["jpg", "jpeg", "png", "webp"]

    /// The folder.
    public let path: String
    /// The classes' names: those of the folders.
    public let classNames: [String]
    /// How files are decoded.
    public let options: DecodingOptions

    private let files: [String]
    private let labels: [Int32]

    /// Lists a folder of class folders.
    ///
    /// - Parameters:
    ///   - path: The folder.
    ///   - options: How files are decoded.
    /// - Throws: ``DatasetError`` when the folder is missing, has no classes or a class has no picture.
    public init(path: String, options: DecodingOptions = DecodingOptions()) throws(DatasetError) {
        let classes = try listFolder(path).filter(\.isFolder)
        guard !classes.isEmpty else { throw .noPictures(path: path) }
        var files: [String] = []
        var labels: [Int32] = []
        var empty: [String] = []
        for (label, folder) in classes.enumerated() {
            var visited: Set<String> = []
            let found = try ImageFolder.pictures(in: folder.path, visited: &visited)
            if found.isEmpty { empty.append(folder.name) }
            files += found
            labels += repeatElement(Int32(label), count: found.count)
        }
        guard !files.isEmpty else { throw .noPictures(path: path) }
        guard empty.isEmpty else { throw .emptyClasses(path: path, names: empty) }
        self.path = path
        self.classNames = classes.map(\.name)
        self.options = options
        self.files = files
        self.labels = labels
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

    /// The path of a picture's file.
    ///
    /// - Parameter index: The picture.
    /// - Returns: The name.
    public func name(at index: Int) -> String { files[index] }

    /// The pictures in a folder and the folders in it, sorted folder by folder; nil where the path is no folder.
    package static func pictures(below path: String) throws(DatasetError) -> [String]? {
        guard isFolder(path) else { return nil }
        var visited: Set<String> = []
        return try pictures(in: path, visited: &visited)
    }

    /// The pictures in a folder and the folders in it; one reached again through a link is left out.
    private static func pictures(
        in path: String,
        visited: inout Set<String>
    ) throws(DatasetError) -> [String] {
        guard visited.insert(resolvedPath(path)).inserted else { return [] }
        var found: [String] = []
        for entry in try listFolder(path) {
            if entry.isFolder {
                found += try pictures(in: entry.path, visited: &visited)
            } else if let dot = entry.name.lastIndex(of: "."),
                extensions.contains(entry.name[entry.name.index(after: dot)...].lowercased())
            {
                found.append(entry.path)
            }
        }
        return found
    }
}
