import ImagePipeline
public import VisionModels

/// The size in which a transformer looks at an image of any size: a whole number of patches, within a bound of memory.
///
/// Attention of `n` tokens has `n²` numbers for each head, so memory grows with the square of the image's area.
public struct ViewingSize: Sendable, Equatable {
    /// What is wished for.
    public enum Wish: Sendable, Equatable {
        /// The image's own size, enlarged to the model's where it is smaller, shrunk where memory does not suffice.
        case own
        /// The shorter side in pixels; the image keeps its shape.
        case shorterSide(Int)
        /// Both sides in pixels.
        case exact(height: Int, width: Int)
    }

    /// What is wished for.
    public let wish: Wish

    /// The most memory that attention may take, in bytes.
    public let memoryLimit: Int

    private let configuration: ViTConfiguration

    /// Creates a rule.
    ///
    /// - Parameters:
    ///   - wish: What is wished for.
    ///   - configuration: What the model is made from.
    ///   - memoryLimit: The most memory that attention may take, in bytes.
    public init(_ wish: Wish, for configuration: ViTConfiguration, memoryLimit: Int) {
        self.wish = wish
        self.configuration = configuration
        self.memoryLimit = memoryLimit
    }

    /// The size for an image.
    ///
    /// - Parameters:
    ///   - height: The image's rows.
    ///   - width: The image's columns.
    /// - Returns: The rows and columns, multiples of the patch, and whether memory made them smaller than wished for.
    /// - Throws: ``EvaluationError/tooLarge(height:width:bytes:limit:)`` when a size that was requested needs too much.
    public func callAsFunction(
        height: Int,
        width: Int
    ) throws(EvaluationError) -> (height: Int, width: Int, isShrunk: Bool) {
        let (wanted, mayShrink) = wanted(Double(max(height, 1)), Double(max(width, 1)))
        var size = (height: patches(wanted.height), width: patches(wanted.width))
        let needed = Self.bytes(size.height * size.width, configuration)
        if needed <= memoryLimit { return (pixels(size.height), pixels(size.width), false) }
        guard mayShrink else {
            throw .tooLarge(
                height: pixels(size.height),
                width: pixels(size.width),
                bytes: needed,
                limit: memoryLimit
            )
        }
        var factor = (Double(memoryLimit) / Double(needed)).squareRoot().squareRoot()
        repeat {
            size = (patches(wanted.height * factor), patches(wanted.width * factor))
            factor *= 0.98
        } while Self.bytes(size.height * size.width, configuration) > memoryLimit && factor > 1e-4
        return (pixels(size.height), pixels(size.width), true)
    }

    private func wanted(
        _ height: Double,
        _ width: Double
    ) -> ((height: Double, width: Double), Bool) {
        let shorter = min(height, width)
        switch wish {
        case .own:
            let least = Double(min(configuration.imageHeight, configuration.imageWidth))
            let factor = max(1, least / shorter)
            return ((height * factor, width * factor), true)
        case .shorterSide(let side):
            let factor = Double(side) / shorter
            return ((height * factor, width * factor), false)
        case .exact(let height, let width):
            return ((Double(height), Double(width)), false)
        }
    }

    /// Refuses an image that would become one of more pixels than a file may have, as one of a single row does: shrunk
    /// to what memory suffices for, it would show nothing.
    ///
    /// - Parameters:
    ///   - height: The image's rows.
    ///   - width: The image's columns.
    /// - Throws: `ImageError`.
    func checkRoom(height: Int, width: Int) throws(ImageError) {
        let (wanted, _) = wanted(Double(max(height, 1)), Double(max(width, 1)))
        func whole(_ side: Double) -> Int { Int(min(side, 1e15).rounded()) }
        try Image.checkRoom(
            from: ImageSize(height: height, width: width),
            rows: whole(wanted.height),
            columns: whole(wanted.width)
        )
    }

    /// The nearest number of patches, at least one; a side beyond reason is cut, and too large all the same.
    private func patches(_ side: Double) -> Int {
        max(1, Int((min(side, 1e7) / Double(configuration.patchSize)).rounded()))
    }

    private func pixels(_ patches: Int) -> Int { patches * configuration.patchSize }

    /// What attention of that many patches takes at its peak: a block's scores, their softmax and a copy, and one matrix of
    /// each block for the rollout.
    static func bytes(_ patches: Int, _ configuration: ViTConfiguration) -> Int {
        let tokens = Double(patches + configuration.prefixTokenCount)
        let matrices = Double(3 * configuration.numHeads + configuration.depth + 2)
        let activations = tokens * Double(configuration.mlpDim + 8 * configuration.embedDim)
        return Int(min(4 * (tokens * tokens * matrices + activations), 1e18))
    }

    /// The way from an image to the model's input in this size.
    ///
    /// - Parameters:
    ///   - processor: The model's own way.
    ///   - height: The rows.
    ///   - width: The columns.
    /// - Returns: A way that keeps the whole image.
    /// - Throws: `ImageError` when the size is not positive.
    static func processor(
        _ processor: ImageProcessor,
        height: Int,
        width: Int
    ) throws(ImageError) -> ImageProcessor {
        try processor.with(resize: .exact(height: height, width: width), crop: nil)
    }
}
