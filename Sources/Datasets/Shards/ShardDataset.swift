public import ImagePipeline
import Storage

/// Images in tar archives, which are read in place: WebDataset's shards, or folders that were packed.
///
/// The archives are scanned once into an index of some bytes per image; afterwards each image is read by one system call. A
/// compressed archive (`.tar.gz`) is inflated into a file without a name, in `TMPDIR` or `/var/tmp`, because compressed data
/// cannot be read from the middle.
///
/// The label of a sample is next to its image, as a number or a name in `KEY.cls`, or in `KEY.json` as `label` or
/// `class_name`; else the image's folder is its class. Numbers are named by a file `classes.txt` next to the archives,
/// where there is one.
public struct ShardDataset: ImageDataset {
    /// The classes' names.
    public let classNames: [String]
    /// How images are decoded.
    public let options: DecodingOptions
    /// What was noticed in the archives.
    public let notes: [String]

    /// No image's file is larger.
    private static let byteLimit = 1 << 29

    private let index: ShardIndex
    private let entries: [ShardIndex.Entry]

    /// Indexes archives.
    ///
    /// - Parameters:
    ///   - paths: The archives.
    ///   - split: The part wanted where folders in the archives are named `train` and `val`; `nil` for everything.
    ///   - options: How images are decoded.
    /// - Throws: ``DatasetError`` when an archive cannot be read, is cut short or damaged, or holds no image.
    public init(
        paths: [String],
        split: DatasetSplit? = nil,
        options: DecodingOptions = DecodingOptions()
    ) throws(DatasetError) {
        let index = try ShardIndex.shared(paths.map { ShardIndex.Shard(path: $0) })
        if let problem = index.problems.first { throw problem }
        self.init(index, split: split, options: options)
        guard !entries.isEmpty else {
            let path = paths.first ?? ""
            throw split.map { .missingSplit(path: path, split: $0) } ?? .noImages(path: path)
        }
    }

    /// Takes the images of one part, or all where no part is named.
    init(_ index: ShardIndex, split: DatasetSplit?, options: DecodingOptions) {
        self.index = index
        self.options = options
        classNames = index.classNames
        notes = index.notes
        entries = split == nil ? index.entries : index.entries.filter { $0.split == split }
    }

    /// The number of images.
    public var count: Int { entries.count }

    /// The label of an image.
    ///
    /// - Parameter index: The image.
    /// - Returns: An index into the classes' names.
    public func label(at index: Int) -> Int { Int(entries[index].label) }

    /// Whether an image may have several labels, or none.
    public var isMultiLabel: Bool { index.labelSets != nil }

    /// All labels of an image.
    ///
    /// - Parameter index: The image.
    /// - Returns: Indices into the classes' names.
    public func labels(at index: Int) -> [Int] {
        self.index.labelSets?[Int(entries[index].set)] ?? [label(at: index)]
    }

    /// Reads and decodes an image.
    ///
    /// - Parameter index: The image.
    /// - Returns: The image.
    /// - Throws: `ImageError` when it cannot be read or decoded.
    public func image(at index: Int) throws(ImageError) -> Image {
        try Image(decoding: bytes(at: index), options: options)
    }

    /// Reads an image's file without decoding it.
    ///
    /// - Parameter index: The image.
    /// - Returns: The file.
    /// - Throws: `ImageError` when the file cannot be read or is not an image.
    public func encodedImage(at index: Int) throws(ImageError) -> EncodedImage? {
        try EncodedImage(try bytes(at: index), options: options)
    }

    /// An image's archive and its name in it, such as `train-0007.tar: 00017.jpg`.
    ///
    /// - Parameter index: The image.
    /// - Returns: The name.
    public func name(at index: Int) -> String { self.index.name(of: entries[index]) }

    /// The bytes of an image's file.
    ///
    /// - Parameter index: The image.
    /// - Returns: The bytes.
    /// - Throws: `ImageError` when they cannot be read.
    public func fileBytes(at index: Int) throws(ImageError) -> [UInt8]? { try bytes(at: index) }

    private func bytes(at index: Int) throws(ImageError) -> [UInt8] {
        let entry = entries[index]
        guard entry.size <= Self.byteLimit else {
            let limit = "\(Self.byteLimit >> 20) MiB"
            throw .unreadable(path: name(at: index), detail: "it has more than \(limit)")
        }
        do throws(StorageError) {
            let file = try self.index.file(Int(entry.shard))
            return try file.bytes(entry.offset..<entry.offset + entry.size)
        } catch {
            throw .unreadable(
                path: self.index.shards[Int(entry.shard)].path,
                detail: error.reason
            )
        }
    }
}
