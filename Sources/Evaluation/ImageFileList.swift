public import Datasets
public import ImagePipeline

/// Images without labels, in order: named files, those of folders, bytes that stand in no file.
public struct ImageFileList: ImageDataset {
    /// Where one image comes from.
    public enum Source: Sendable, Equatable {
        /// A file.
        case file(String)
        /// The bytes of a file, and what to call them in messages.
        case bytes([UInt8], name: String)
    }

    /// Where the images come from.
    public let sources: [Source]

    /// The folders that hold no image.
    public let emptyFolders: [String]

    /// How the images are decoded.
    public let options: DecodingOptions

    /// One class for all, as nothing is known of them.
    public var classNames: [String] { ["image"] }

    /// Creates a list.
    ///
    /// - Parameters:
    ///   - sources: Where the images come from.
    ///   - options: How they are decoded.
    public init(_ sources: [Source], options: DecodingOptions = DecodingOptions()) {
        self.sources = sources
        self.options = options
        emptyFolders = []
    }

    /// Lists files and folders in the order given.
    ///
    /// A file is taken whatever its name; of a folder and all folders in it the names that end in `jpg`, `jpeg`,
    /// `png` or `webp`, sorted. What does not exist shows when it is read.
    ///
    /// - Parameters:
    ///   - paths: The files and folders.
    ///   - options: How images are decoded.
    /// - Throws: `DatasetError` when a folder cannot be listed.
    public init(
        paths: [String],
        options: DecodingOptions = DecodingOptions()
    ) throws(DatasetError) {
        var sources: [Source] = []
        var empty: [String] = []
        for path in paths {
            guard let found = try ImageFolder.images(below: path) else {
                sources.append(.file(path))
                continue
            }
            if found.isEmpty { empty.append(path) }
            sources += found.map(Source.file)
        }
        self.sources = sources
        self.options = options
        emptyFolders = empty
    }

    /// The number of images.
    public var count: Int { sources.count }

    /// The label that all images have.
    ///
    /// - Parameter index: The image.
    /// - Returns: 0.
    public func label(at index: Int) -> Int { 0 }

    /// Reads and decodes an image.
    ///
    /// - Parameter index: The image.
    /// - Returns: The image.
    /// - Throws: `ImageError` when it cannot be read or decoded.
    public func image(at index: Int) throws(ImageError) -> Image {
        switch sources[index] {
        case .file(let path): try Image(contentsOf: path, options: options)
        case .bytes(let bytes, _): try Image(decoding: bytes, options: options)
        }
    }

    /// Reads an image's file without decoding it.
    ///
    /// - Parameter index: The image.
    /// - Returns: The file.
    /// - Throws: `ImageError` when the file cannot be read or is no image.
    public func encodedImage(at index: Int) throws(ImageError) -> EncodedImage? {
        switch sources[index] {
        case .file(let path): try EncodedImage(contentsOf: path, options: options)
        case .bytes(let bytes, _): try EncodedImage(bytes, options: options)
        }
    }

    /// What to call an image in a message.
    ///
    /// - Parameter index: The image.
    /// - Returns: The path, or the name of the bytes.
    public func name(at index: Int) -> String {
        switch sources[index] {
        case .file(let path): path
        case .bytes(_, let name): name
        }
    }

    /// The list with the bytes in place of every file of one name.
    ///
    /// - Parameters:
    ///   - path: The name, such as `-`.
    ///   - bytes: The bytes.
    ///   - name: What to call them in messages.
    /// - Returns: The other list.
    public func replacing(_ path: String, by bytes: [UInt8], named name: String) -> ImageFileList {
        ImageFileList(
            sources: sources.map { $0 == .file(path) ? .bytes(bytes, name: name) : $0 },
            emptyFolders: emptyFolders,
            options: options
        )
    }

    private init(sources: [Source], emptyFolders: [String], options: DecodingOptions) {
        self.sources = sources
        self.emptyFolders = emptyFolders
        self.options = options
    }
}
