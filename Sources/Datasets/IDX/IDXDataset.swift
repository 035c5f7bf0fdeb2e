public import ImagePipeline

/// Grey images in IDX files, as MNIST and Fashion-MNIST have them; all are held in memory.
public struct IDXDataset: ImageDataset {
    /// The names of Fashion-MNIST's ten classes, in the order of their labels.
    public static let fashionClassNames = [
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
        "Ankle boot",
    ]

    /// The file of images.
    public let path: String
    /// The classes' names.
    public let classNames: [String]
    /// The rows of every image.
    public let height: Int
    /// The columns of every image.
    public let width: Int

    private let pixels: ArraySlice<UInt8>
    private let labels: ArraySlice<UInt8>

    /// Reads a pair of files, gzipped or not.
    ///
    /// - Parameters:
    ///   - images: The file of images, `[count, height, width]` bytes.
    ///   - labels: The file of labels, `[count]` bytes.
    ///   - classNames: The classes' names; `nil` for those of Fashion-MNIST where a folder in the path is
    ///     named so, and for "0", "1" … elsewhere.
    /// - Throws: ``DatasetError`` when a file cannot be read, is damaged or does not fit the other.
    public init(images: String, labels: String, classNames: [String]? = nil) throws(DatasetError) {
        let imageFile = try IDXFile(path: images, rank: 3)
        let labelFile = try IDXFile(path: labels, rank: 1)
        guard imageFile.shape[0] == labelFile.shape[0] else {
            throw .malformed(
                path: labels,
                detail: "it has \(labelFile.shape[0]) labels for \(imageFile.shape[0]) images"
            )
        }
        let highest = Int(labelFile.bytes.max() ?? 0)
        let isFashion = images.lowercased().contains("fashion") && highest < 10
        // The ten digits have ten names, also where the last ones do not occur.
        let names =
            classNames
            ?? (isFashion
                ? IDXDataset.fashionClassNames : (0..<max(10, highest + 1)).map(String.init))
        guard highest < names.count else {
            throw .malformed(
                path: labels,
                detail: "it has the label \(highest) with \(names.count) classes"
            )
        }
        self.path = images
        self.classNames = names
        self.height = imageFile.shape[1]
        self.width = imageFile.shape[2]
        self.pixels = imageFile.bytes
        self.labels = labelFile.bytes
    }

    /// The number of images.
    public var count: Int { labels.count }

    /// The label of an image.
    ///
    /// - Parameter index: The image.
    /// - Returns: An index into the classes' names.
    public func label(at index: Int) -> Int { Int(labels[labels.startIndex + index]) }

    /// Returns an image of one channel.
    ///
    /// - Parameter index: The image.
    /// - Returns: The image.
    /// - Throws: Nothing in practice: all sizes were checked when the files were read.
    public func image(at index: Int) throws(ImageError) -> Image {
        let size = height * width
        let start = pixels.startIndex + index * size
        return try Image(
            height: height,
            width: width,
            channels: 1,
            pixels: Array(pixels[start..<(start + size)])
        )
    }

    /// An image's place, such as "index 17 of FILE".
    ///
    /// - Parameter index: The image.
    /// - Returns: The name.
    public func name(at index: Int) -> String { "index \(index) of \(path)" }
}
