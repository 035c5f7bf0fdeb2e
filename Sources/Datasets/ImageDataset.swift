public import ImagePipeline

/// Labelled images that can be read in any order and from any thread.
public protocol ImageDataset: Sendable {
    /// The number of images.
    var count: Int { get }

    /// The classes' names; a label is an index into them.
    var classNames: [String] { get }

    /// The label of an image; of an image with several the first, and 0 where it has none.
    ///
    /// - Parameter index: The image, from 0 up to, but not including, ``count``.
    /// - Returns: An index into the classes' names.
    func label(at index: Int) -> Int

    /// Whether an image may have several labels, or none; otherwise each has one.
    var isMultiLabel: Bool { get }

    /// All labels of an image, in ascending order, each once.
    ///
    /// - Parameter index: The image, from 0 up to, but not including, ``count``.
    /// - Returns: Indices into the classes' names; one where ``isMultiLabel`` is false.
    func labels(at index: Int) -> [Int]

    /// Reads an image.
    ///
    /// - Parameter index: The image, from 0 up to, but not including, ``count``.
    /// - Returns: The image.
    /// - Throws: `ImageError` when the image cannot be read or decoded.
    func image(at index: Int) throws(ImageError) -> Image

    /// What to call an image in a message: its file, or its place within one.
    ///
    /// - Parameter index: The image, from 0 up to, but not including, ``count``.
    /// - Returns: The name.
    func name(at index: Int) -> String

    /// Notes about the data that are not errors, one sentence each, to print before work starts.
    var notes: [String] { get }

    /// The path of an image's own file.
    ///
    /// - Parameter index: The image, from 0 up to, but not including, ``count``.
    /// - Returns: The path; nil where many images lie in one file.
    func filePath(at index: Int) -> String?

    /// The encoded bytes of an image, as its file holds them.
    ///
    /// - Parameter index: The image, from 0 up to, but not including, ``count``.
    /// - Returns: The bytes; nil where the data holds samples that are not encoded.
    /// - Throws: `ImageError` when they cannot be read.
    func fileBytes(at index: Int) throws(ImageError) -> [UInt8]?

    /// Reads an image's file, where there is one, so that no more of it is decoded than a transform needs.
    ///
    /// - Parameter index: The image, from 0 up to, but not including, ``count``.
    /// - Returns: The file, or `nil` if images are not stored as files; then ``image(at:)`` is used.
    /// - Throws: `ImageError` when the file cannot be read or is not an image.
    func encodedImage(at index: Int) throws(ImageError) -> EncodedImage?
}

extension ImageDataset {
    /// Every image has one label.
    public var isMultiLabel: Bool { false }

    /// The one label of an image.
    ///
    /// - Parameter index: The image.
    /// - Returns: Its label.
    public func labels(at index: Int) -> [Int] { [label(at: index)] }

    /// The number of images of each class; an image with several labels counts for each of them.
    package var classCounts: [Int] {
        var counts = [Int](repeating: 0, count: classNames.count)
        for index in 0..<count { for label in labels(at: index) { counts[label] += 1 } }
        return counts
    }

    /// The name of an image's class; of several classes their names with `|` between them, and `none` for none.
    ///
    /// - Parameter index: The image.
    /// - Returns: The text.
    package func className(at index: Int) -> String {
        let names = labels(at: index).map { classNames[$0] }
        return names.isEmpty ? "none" : names.joined(separator: LabelFormat.usualSeparator)
    }

    /// The images in groups that are drawn from in proportion: those of each class; of images with several labels those
    /// whose rarest class it is, and last those without a label.
    var strata: [[Int]] {
        let counts = isMultiLabel ? classCounts : []
        var members = [[Int]](repeating: [], count: classNames.count + (isMultiLabel ? 1 : 0))
        for index in 0..<count {
            guard isMultiLabel else {
                members[label(at: index)].append(index)
                continue
            }
            let rarest = labels(at: index).min { (counts[$0], $0) < (counts[$1], $1) }
            members[rarest ?? classNames.count].append(index)
        }
        return members
    }

    /// Decodes an image whole, upright as its EXIF data say or as it is stored.
    ///
    /// - Parameters:
    ///   - index: The image's number.
    ///   - isUpright: Whether to follow the EXIF orientation, as `ImageTransform/appliesOrientation`; images that are
    ///     in no file have none.
    /// - Returns: The image.
    /// - Throws: `ImageError` when it cannot be read.
    public func image(at index: Int, upright isUpright: Bool) throws(ImageError) -> Image {
        guard let file = try encodedImage(at: index) else { return try image(at: index) }
        return try file.seen(upright: isUpright).decoded()
    }

    /// Nothing was noticed.
    public var notes: [String] { [] }

    /// No image has a file of its own.
    ///
    /// - Parameter index: The image.
    /// - Returns: nil.
    public func filePath(at index: Int) -> String? { nil }

    /// No image is encoded.
    ///
    /// - Parameter index: The image.
    /// - Returns: nil.
    /// - Throws: Nothing.
    public func fileBytes(at index: Int) throws(ImageError) -> [UInt8]? { nil }

    /// Images that are not stored as files have none.
    ///
    /// - Parameter index: The image.
    /// - Returns: `nil`.
    /// - Throws: Nothing.
    public func encodedImage(at index: Int) throws(ImageError) -> EncodedImage? { nil }
}
