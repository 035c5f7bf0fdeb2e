public import ImagePipeline
import Torch
import VisionModels

/// Tells foreground from background without labels, in images of any size.
public struct Segmenter {
    /// Where the foreground comes from.
    public enum Method: String, Sendable, CaseIterable {
        /// The normalised cut of the patches by their keys in attention (TokenCut).
        case cut
        /// The patches that hold most of the class token's attention, the mean of the heads (DINO).
        case attention
        /// The same of the rollout through all blocks.
        case rollout
    }

    /// What is done, and how strictly.
    public struct Options: Sendable, Equatable {
        /// Where the foreground comes from.
        public var method: Method

        /// The cosine above which patches belong together in the cut, -1 up to 1.
        public var tau: Double

        /// The share of the attention that a mask keeps, above 0 up to 1.
        public var threshold: Double

        /// Whether only the object with the most certain patch is kept.
        public var isMainObject: Bool

        /// How the grid becomes as large as the image; ``Upscaling/nearest`` leaves patches whole.
        public var upscaling: Upscaling

        /// Creates options.
        ///
        /// - Parameters:
        ///   - method: Where the foreground comes from.
        ///   - tau: The cosine above which patches belong together in the cut, -1 up to 1.
        ///   - threshold: The share of the attention that a mask keeps, above 0 up to 1.
        ///   - isMainObject: Whether only the object with the most certain patch is kept.
        ///   - upscaling: How the grid becomes as large as the image.
        /// - Throws: ``EvaluationError/invalid(_:)`` for a number out of range.
        public init(
            method: Method = .cut,
            tau: Double = 0.2,
            threshold: Double = 0.6,
            isMainObject: Bool = false,
            upscaling: Upscaling = .bilinear
        ) throws(EvaluationError) {
            guard tau > -1, tau < 1 else {
                throw .invalid("tau is a cosine, above -1 and below 1, not \(tau)")
            }
            guard threshold > 0, threshold <= 1 else {
                throw .invalid(
                    "the fraction of attention that a mask keeps must be above 0 and at most 1, not \(threshold)"
                )
            }
            self.method = method
            self.tau = tau
            self.threshold = threshold
            self.isMainObject = isMainObject
            self.upscaling = upscaling
        }
    }

    /// The foreground of an image.
    public struct Foreground: Sendable {
        /// 255 where there is foreground, 0 elsewhere; grey, of the image's size.
        public let mask: Image

        /// The share of the image that is foreground, 0 to 1.
        public let share: Double
    }

    /// What is done.
    public let options: Options

    private let viewer: ImageViewer

    /// Creates a segmenter.
    ///
    /// - Parameters:
    ///   - viewer: What looks at images.
    ///   - options: What is done.
    public init(_ viewer: ImageViewer, _ options: Options) {
        self.viewer = viewer
        self.options = options
    }

    /// Finds the foreground of an image.
    ///
    /// - Parameter image: The image.
    /// - Returns: The foreground.
    /// - Throws: ``EvaluationError`` when it would need too much memory, `ImageError` when it cannot be resized.
    public func callAsFunction(_ image: Image) throws -> Foreground {
        let reading = try viewer.look(at: image).reading
        let (scores, seed) = try scores(reading)
        let kept =
            options.isMainObject
            ? ConnectedPatches.part(of: scores.map { $0 > 0 }, around: seed, reading.grid)
            : [Bool](repeating: true, count: scores.count)
        // Where another object is left out, its patches become as certainly background as they were foreground.
        let final = scores.indices.map { kept[$0] ? scores[$0] : -abs(scores[$0]) }
        let large = try options.upscaling(
            final,
            reading.grid,
            height: image.height,
            width: image.width
        )
        let pixels = large.map { $0 > 0 ? UInt8(255) : 0 }
        let count = pixels.count { $0 != 0 }
        return Foreground(
            mask: try Image(
                height: image.height,
                width: image.width,
                channels: 1,
                pixels: pixels
            ),
            share: Double(count) / Double(max(pixels.count, 1))
        )
    }

    /// A number for each patch, above 0 in the foreground, and the patch that is most certainly there.
    private func scores(_ reading: AttentionReading) throws -> ([Float], Int) {
        guard options.method != .cut, let token = reading.tokens.first else {
            let cut = try NormalizedCut(reading.keys, grid: reading.grid, tau: options.tau)
            return (cut.values, cut.seed)
        }
        let map = options.method == .rollout ? token.rollout ?? token.mean : token.mean
        let kept = map.mask(keeping: options.threshold)
        // Between the least patch that is kept and the largest that is not lies the border.
        let least = map.values.indices.filter { kept[$0] }.map { map.values[$0] }.min() ?? 0
        let below = map.values.indices.filter { !kept[$0] }.map { map.values[$0] }.max() ?? least
        let border = below < least ? (least + below) / 2 : least * (1 - 1e-6)
        let seed = map.values.indices.max { map.values[$0] < map.values[$1] } ?? 0
        return (map.values.map { $0 - border }, seed)
    }
}
