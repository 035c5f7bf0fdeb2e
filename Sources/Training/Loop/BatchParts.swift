/// The parts of a batch whose gradients are accumulated, one after the other, in a single step.
///
/// A part's loss counts by its share of the images, so the gradients add up to those of all images at once, but for
/// rounding, wherever the loss is a mean over images and the network treats each image independently.
struct BatchParts {
    /// The images of each part: contiguous, in order, and of sizes that differ by one image at most.
    let ranges: [Range<Int>]
    private let count: Int

    /// Divides a batch.
    ///
    /// - Parameters:
    ///   - count: The number of images.
    ///   - parts: The number of parts; not more than there are images, and at least one.
    init(of count: Int, into parts: Int) {
        let parts = max(1, min(parts, count))
        ranges = (0..<parts).map { (count * $0 / parts)..<(count * ($0 + 1) / parts) }
        self.count = count
    }

    /// The fraction of the batch that a part is, by which its mean loss counts.
    func share(of range: Range<Int>) -> Double { Double(range.count) / Double(count) }
}
