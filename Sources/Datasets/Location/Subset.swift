public import ImagePipeline

/// Some images of another data set, with all its classes.
public struct Subset: ImageDataset {
    /// The whole set.
    public let base: any ImageDataset
    /// The images taken, as indices into the whole set.
    public let indices: [Int]

    /// Takes the images with the given indices.
    ///
    /// - Parameters:
    ///   - base: The whole set.
    ///   - indices: The images to take, in their new order.
    /// - Throws: ``DatasetError/invalid(_:)`` when an index is out of range.
    public init(of base: any ImageDataset, indices: [Int]) throws(DatasetError) {
        if let wrong = indices.first(where: { !(0..<base.count).contains($0) }) {
            throw .invalid("there is no image \(wrong) among \(base.count)")
        }
        self.base = base
        self.indices = indices
    }

    /// Takes the first images.
    ///
    /// - Parameters:
    ///   - base: The whole set.
    ///   - count: How many, at least 1; all when there are fewer.
    /// - Throws: ``DatasetError/invalid(_:)`` when the count is not positive.
    public init(of base: any ImageDataset, first count: Int) throws(DatasetError) {
        guard count > 0 else { throw .invalid("a limit of \(count) leaves no images") }
        try self.init(of: base, indices: Array(0..<min(count, base.count)))
    }

    /// Draws images at random so that every class keeps its share, in the order of the whole set.
    ///
    /// Shares are rounded so that the counts of the classes differ from exact proportion by less than one.
    ///
    /// - Parameters:
    ///   - base: The whole set.
    ///   - count: How many, at least 1; all when there are fewer.
    ///   - seed: The seed of the draw.
    /// - Throws: ``DatasetError/invalid(_:)`` when the count is not positive.
    public init(of base: any ImageDataset, stratified count: Int, seed: UInt64) throws(DatasetError)
    {
        guard count > 0 else { throw .invalid("a limit of \(count) leaves no images") }
        guard count < base.count else {
            try self.init(of: base, indices: Array(0..<base.count))
            return
        }
        var members = base.strata
        var taken: [Int] = []
        var seen = 0
        for label in members.indices {
            var generator = SplitMix64(seed: seed, epoch: 0, index: label, view: 1)
            generator.shuffle(&members[label])
            // Cumulative rounding: the totals after each class are exact to within one half.
            let before = Subset.share(seen, of: base.count, taking: count)
            seen += members[label].count
            let after = Subset.share(seen, of: base.count, taking: count)
            taken += members[label].prefix(after - before)
        }
        try self.init(of: base, indices: taken.sorted())
    }

    private static func share(_ seen: Int, of total: Int, taking count: Int) -> Int {
        Int((Double(seen) * Double(count) / Double(total)).rounded())
    }

    /// The number of images taken.
    public var count: Int { indices.count }

    /// The classes' names, those of the whole set.
    public var classNames: [String] { base.classNames }

    /// The label of an image.
    ///
    /// - Parameter index: The image, counted within the subset.
    /// - Returns: An index into the classes' names.
    public func label(at index: Int) -> Int { base.label(at: indices[index]) }

    /// Whether an image may have several labels, or none.
    public var isMultiLabel: Bool { base.isMultiLabel }

    /// All labels of an image.
    ///
    /// - Parameter index: The image.
    /// - Returns: Indices into the classes' names.
    public func labels(at index: Int) -> [Int] { base.labels(at: indices[index]) }

    /// Reads an image.
    ///
    /// - Parameter index: The image, counted within the subset.
    /// - Returns: The image.
    /// - Throws: `ImageError` when the image cannot be read or decoded.
    public func image(at index: Int) throws(ImageError) -> Image {
        try base.image(at: indices[index])
    }

    /// Reads an image's file without decoding it.
    ///
    /// - Parameter index: The image, counted within the subset.
    /// - Returns: The file, or `nil` where images are not stored as files.
    /// - Throws: `ImageError` when the file cannot be read or is not an image.
    public func encodedImage(at index: Int) throws(ImageError) -> EncodedImage? {
        try base.encodedImage(at: indices[index])
    }

    /// What to call an image in a message.
    ///
    /// - Parameter index: The image, counted within the subset.
    /// - Returns: The name.
    public func name(at index: Int) -> String { base.name(at: indices[index]) }

    /// What was noticed when the whole set was opened.
    public var notes: [String] { base.notes }

    /// The path of an image's own file.
    ///
    /// - Parameter index: The image, counted within the subset.
    /// - Returns: The path; nil where many images lie in one file.
    public func filePath(at index: Int) -> String? { base.filePath(at: indices[index]) }

    /// The encoded bytes of an image.
    ///
    /// - Parameter index: The image, counted within the subset.
    /// - Returns: The bytes; nil where the data holds samples that are not encoded.
    /// - Throws: `ImageError` when they cannot be read.
    public func fileBytes(at index: Int) throws(ImageError) -> [UInt8]? {
        try base.fileBytes(at: indices[index])
    }
}
