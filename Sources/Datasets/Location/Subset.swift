public import ImagePipeline

/// Some pictures of another data set, with all its classes.
public struct Subset: ImageDataset {
    /// The whole set.
    public let base: any ImageDataset
    /// The pictures taken, as indices into the whole set.
    public let indices: [Int]

    /// Takes the pictures with the given indices.
    ///
    /// - Parameters:
    ///   - base: The whole set.
    ///   - indices: The pictures to take, in their new order.
    /// - Throws: ``DatasetError/invalid(_:)`` when an index is out of range.
    public init(of base: any ImageDataset, indices: [Int]) throws(DatasetError) {
        if let wrong = indices.first(where: { !(0..<base.count).contains($0) }) {
            throw .invalid("there is no picture \(wrong) among \(base.count)")
        }
        self.base = base
        self.indices = indices
    }

    /// Takes the first pictures.
    ///
    /// - Parameters:
    ///   - base: The whole set.
    ///   - count: How many, at least 1; all when there are fewer.
    /// - Throws: ``DatasetError/invalid(_:)`` when the count is not positive.
    public init(of base: any ImageDataset, first count: Int) throws(DatasetError) {
        guard count > 0 else { throw .invalid("a limit of \(count) leaves no pictures") }
        try self.init(of: base, indices: Array(0..<min(count, base.count)))
    }

    /// Draws pictures at random so that every class keeps its share, in the order of the whole set.
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
        guard count > 0 else { throw .invalid("a limit of \(count) leaves no pictures") }
        guard count < base.count else {
            try self.init(of: base, indices: Array(0..<base.count))
            return
        }
        var members = [[Int]](repeating: [], count: base.classNames.count)
        for index in 0..<base.count { members[base.label(at: index)].append(index) }
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

    /// The number of pictures taken.
    public var count: Int { indices.count }

    /// The classes' names, those of the whole set.
    public var classNames: [String] { base.classNames }

    /// The label of a picture.
    ///
    /// - Parameter index: The picture, counted within the subset.
    /// - Returns: An index into the classes' names.
    public func label(at index: Int) -> Int { base.label(at: indices[index]) }

    /// Reads a picture.
    ///
    /// - Parameter index: The picture, counted within the subset.
    /// - Returns: The picture.
    /// - Throws: `ImageError` when the picture cannot be read or decoded.
    public func image(at index: Int) throws(ImageError) -> Image {
        try base.image(at: indices[index])
    }

    /// Reads a picture's file without decoding it.
    ///
    /// - Parameter index: The picture, counted within the subset.
    /// - Returns: The file, or `nil` where pictures are not stored as files.
    /// - Throws: `ImageError` when the file cannot be read or is no picture.
    public func encodedImage(at index: Int) throws(ImageError) -> EncodedImage? {
        try base.encodedImage(at: indices[index])
    }

    /// What to call a picture in a message.
    ///
    /// - Parameter index: The picture, counted within the subset.
    /// - Returns: The name.
    public func name(at index: Int) -> String { base.name(at: indices[index]) }

    /// What was noticed when the whole set was opened.
    public var notes: [String] { base.notes }

    /// The path of a picture's own file.
    ///
    /// - Parameter index: The picture, counted within the subset.
    /// - Returns: The path; nil where many pictures lie in one file.
    public func filePath(at index: Int) -> String? { base.filePath(at: indices[index]) }

    /// The encoded bytes of a picture.
    ///
    /// - Parameter index: The picture, counted within the subset.
    /// - Returns: The bytes; nil where the data holds samples that are not encoded.
    /// - Throws: `ImageError` when they cannot be read.
    public func fileBytes(at index: Int) throws(ImageError) -> [UInt8]? {
        try base.fileBytes(at: indices[index])
    }
}
