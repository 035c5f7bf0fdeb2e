/// The input of one step: images as numbers, and what they show.
public struct ImageBatch: Sendable {
    /// The labels, one for each image: of mixed images that of the image that was there first, of images with several
    /// labels the first, and 0 where there is none.
    public let labels: [Int]
    /// What each image shows, `[count, classes]`: of mixed images the shares of the classes, and of images that may have
    /// several labels 1 for each of them and 0 for the others, smoothed and mixed where the loader does so; otherwise
    /// `nil`.
    public let targets: [Float]?
    /// Whether the targets are any number of classes for an image, rather than shares that add up to 1.
    public let isMultiLabel: Bool
    /// The images' indices in the data set; a replacement for an unreadable image has its own.
    public let indices: [Int]
    /// The channels of an image.
    public let channels: Int
    /// The rows of an image.
    public let height: Int
    /// The columns of an image.
    public let width: Int

    /// What was made of the images ahead of their use; see ``DataLoader/stage``.
    package internal(set) var staged: (any Sendable)?

    /// `nil` for a batch without images.
    let storage: PixelStorage?

    /// The number of images.
    public var count: Int { labels.count }
    /// The sizes of ``pixels``: `[count, channels, height, width]`.
    public var shape: [Int] { [count, channels, height, width] }
    /// A copy of the numbers, `[count, channels, height, width]`; ``withUnsafeBytes(_:)`` makes none.
    public var pixels: [Float] { withUnsafePixels(Array.init) }

    /// Hands out the bytes of the numbers, `[count, channels, height, width]` floats in native byte order.
    ///
    /// - Parameter body: Reads the bytes, which are valid only within the call.
    /// - Returns: What the closure returns.
    /// - Throws: What the closure throws.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withUnsafePixels { pixels throws(Failure) in
            try body(UnsafeRawBufferPointer(pixels))
        }
    }

    func withUnsafePixels<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let used = storage.map { $0.buffer[..<(count * channels * height * width)] }
        // The storage must outlive the reading although only its pointer is used.
        defer { withExtendedLifetime(storage) {} }
        return try body(
            used.map { UnsafeBufferPointer(rebasing: $0) }
                ?? UnsafeBufferPointer(start: nil, count: 0)
        )
    }
}

extension ImageBatch: Equatable {
    /// Whether two batches hold the same images bit for bit, with the same labels and targets.
    public static func == (left: ImageBatch, right: ImageBatch) -> Bool {
        guard left.shape == right.shape, left.labels == right.labels,
            left.indices == right.indices, left.targets == right.targets
        else { return false }
        return left.withUnsafeBytes { one in
            right.withUnsafeBytes { other in one.elementsEqual(other) }
        }
    }
}
