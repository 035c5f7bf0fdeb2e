public import Datasets
public import ImagePipeline

/// Pictures without labels, in order: named files, those of folders, bytes that stand in no file.
public struct PictureList: ImageDataset {
    /// Where one picture comes from.
    public enum Source: Sendable, Equatable {
        /// A file.
        case file(String)
        /// The bytes of a file, and what to call them in messages.
        case bytes([UInt8], name: String)
    }

    /// Where the pictures come from.
    public let sources: [Source]

    /// The folders that hold no picture.
    public let emptyFolders: [String]

    /// How the pictures are decoded.
    public let options: DecodingOptions

    /// One class for all, as nothing is known of them.
    public var classNames: [String] { ["picture"] }

    /// Creates a list.
    ///
    /// - Parameters:
    ///   - sources: Where the pictures come from.
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
    ///   - options: How pictures are decoded.
    /// - Throws: `DatasetError` when a folder cannot be listed.
    public init(
        paths: [String],
        options: DecodingOptions = DecodingOptions()
    ) throws(DatasetError) {
        var sources: [Source] = []
        var empty: [String] = []
        for path in paths {
            guard let found = try ImageFolder.pictures(below: path) else {
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

    /// The number of pictures.
    public var count: Int { sources.count }

    /// The label that all pictures have.
    ///
    /// - Parameter index: The picture.
    /// - Returns: 0.
    public func label(at index: Int) -> Int { 0 }

    /// Reads and decodes a picture.
    ///
    /// - Parameter index: The picture.
    /// - Returns: The picture.
    /// - Throws: `ImageError` when it cannot be read or decoded.
    public func image(at index: Int) throws(ImageError) -> Image {
        switch sources[index] {
        case .file(let path): try Image(contentsOf: path, options: options)
        case .bytes(let bytes, _): try Image(decoding: bytes, options: options)
        }
    }

    /// Reads a picture's file without decoding it.
    ///
    /// - Parameter index: The picture.
    /// - Returns: The file.
    /// - Throws: `ImageError` when the file cannot be read or is no picture.
    public func encodedImage(at index: Int) throws(ImageError) -> EncodedImage? {
        switch sources[index] {
        case .file(let path): try EncodedImage(contentsOf: path, options: options)
        case .bytes(let bytes, _): try EncodedImage(bytes, options: options)
        }
    }

    /// What to call a picture in a message.
    ///
    /// - Parameter index: The picture.
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
    public func replacing(_ path: String, by bytes: [UInt8], named name: String) -> PictureList {
        PictureList(
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
