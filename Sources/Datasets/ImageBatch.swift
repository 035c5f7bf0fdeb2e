/// The input of one step: pictures as numbers, and their labels.
public struct ImageBatch: Sendable, Equatable {
    /// The numbers, `[count, channels, height, width]`.
    public let pixels: [Float]
    /// The labels, one for each picture.
    public let labels: [Int]
    /// The pictures' indices in the data set; one that stands in for an unreadable one has its own.
    public let indices: [Int]
    /// The channels of a picture.
    public let channels: Int
    /// The rows of a picture.
    public let height: Int
    /// The columns of a picture.
    public let width: Int

    /// The number of pictures.
    public var count: Int { labels.count }
    /// The sizes of ``pixels``: `[count, channels, height, width]`.
    public var shape: [Int] { [count, channels, height, width] }
}
