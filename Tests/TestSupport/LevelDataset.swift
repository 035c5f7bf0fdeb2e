public import Datasets
public import ImagePipeline

/// Grey images of one level each, 8 × 8 pixels; those of level 255 cannot be read.
public struct LevelDataset: ImageDataset {
    /// The level of each image, 0 to 255.
    public let levels: [UInt8]
    /// The class of each image, 0 to 2.
    public let labels: [Int]

    /// The names of the three classes.
    public let classNames = ["a", "b", "c"]

    /// The number of images.
    public var count: Int { levels.count }

    /// Creates images.
    ///
    /// - Parameters:
    ///   - levels: The level of each image, 0 to 255.
    ///   - labels: The class of each image, 0 to 2.
    public init(levels: [UInt8], labels: [Int]) {
        self.levels = levels
        self.labels = labels
    }

    /// The class of an image.
    public func label(at index: Int) -> Int { labels[index] }

    /// Makes an image.
    public func image(at index: Int) throws(ImageError) -> Image {
        guard levels[index] < 255 else { throw .notAnImage }
        return try Image(
            height: 8,
            width: 8,
            channels: 1,
            pixels: .init(repeating: levels[index], count: 64)
        )
    }

    /// What an image is called.
    public func name(at index: Int) -> String { "level-\(index)" }
}
