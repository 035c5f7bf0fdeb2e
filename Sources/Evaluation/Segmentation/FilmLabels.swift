public import ImagePipeline
import Torch
import VisionModels

/// Labels the frames of a film from a mask of the first one.
///
/// ## Source
/// Caron et al., `dino/eval_video_segmentation.py`: the shorter side becomes 480 pixels, the other one a multiple of 64;
/// soft labels are enlarged on straight lines, each label's are spread from 0 to 1, and the largest one counts.
public struct FilmLabels {
    private let viewer: ImageViewer
    private let size: (height: Int, width: Int)
    private let mask: LabelMask
    private var propagation: LabelPropagation

    /// The labels of the mask that are too small for the patches: they are in no frame.
    public let lostLabels: Int

    /// The patches that frames are cut into, down and across.
    public var grid: String { propagation.grid.description }

    /// Starts with the first frame.
    ///
    /// - Parameters:
    ///   - viewer: What looks at frames; its size does not count.
    ///   - frame: The first frame.
    ///   - mask: Its labels.
    ///   - shorterSide: What its shorter side becomes for the model, in pixels.
    ///   - options: What decides which patches are compared.
    /// - Throws: ``EvaluationError/invalid(_:)`` when frame and mask differ in size, ``EvaluationError/tooLarge(height:width:bytes:limit:)``
    ///   when memory does not suffice.
    public init(
        _ viewer: ImageViewer,
        frame: Image,
        mask: LabelMask,
        shorterSide: Int,
        _ options: LabelPropagation.Options
    ) throws {
        guard (frame.height, frame.width) == (mask.height, mask.width) else {
            throw EvaluationError.invalid(
                "the mask has \(mask.size), the first frame \(frame.size); their sizes must be equal"
            )
        }
        size = Self.size(
            frame.height,
            frame.width,
            shorterSide: shorterSide,
            patch: viewer.reader.configuration.patchSize
        )
        _ = try ViewingSize(
            .exact(height: size.height, width: size.width),
            for: viewer.reader.configuration,
            memoryLimit: viewer.size.memoryLimit
        )(height: size.height, width: size.width)
        self.viewer = viewer
        self.mask = mask
        let reading = try viewer.look(at: frame, exactly: size).reading
        let small = Self.nearest(mask, reading.grid)
        lostLabels = mask.labelCount - Set(small).count
        propagation = try LabelPropagation(
            reading.features,
            labels: (0..<mask.labelCount).map { label in
                small.map { Int($0) == label ? 1 : 0 }
            },
            grid: reading.grid,
            options
        )
    }

    /// Labels the next frame.
    ///
    /// - Parameter frame: The frame, of the first one's size.
    /// - Returns: Its labels.
    /// - Throws: ``EvaluationError/invalid(_:)`` for a frame of another size.
    public mutating func next(_ frame: Image) throws -> LabelMask {
        guard (frame.height, frame.width) == (mask.height, mask.width) else {
            throw EvaluationError.invalid(
                "the frame has \(frame.size), the first one \(mask.size); all frames must have the same size"
            )
        }
        let soft = try propagation.next(viewer.look(at: frame, exactly: size).reading.features)
        return try hard(soft)
    }

    /// The size of frames for the model.
    static func size(
        _ height: Int,
        _ width: Int,
        shorterSide: Int,
        patch: Int
    ) -> (height: Int, width: Int) {
        func rounded(_ side: Int, to unit: Int) -> Int { max(side / unit * unit, unit) }
        // DINO's 64 is a multiple of its patches; others are rounded to a patch.
        let unit = 64 % patch == 0 && shorterSide >= 64 ? 64 : patch
        let short = rounded(shorterSide, to: patch)
        let factor = Double(shorterSide) / Double(min(height, width))
        let long = rounded(Int(min(Double(max(height, width)) * factor, 1e7)), to: unit)
        return height > width ? (long, short) : (short, long)
    }

    /// The label of each patch, as Pillow's nearest takes it.
    private static func nearest(_ mask: LabelMask, _ grid: PatchGrid) -> [UInt8] {
        func places(_ old: Int, _ new: Int) -> [Int] {
            (0..<new).map { min(old - 1, Int((Double($0) + 0.5) * Double(old) / Double(new))) }
        }
        let columns = places(mask.width, grid.width)
        return places(mask.height, grid.height).flatMap { row in
            columns.map { mask.labels[row * mask.width + $0] }
        }
    }

    /// The largest label of each pixel, in the size of the film.
    private func hard(_ soft: [[Float]]) throws -> LabelMask {
        let count = size.height * size.width
        var best = [Float](repeating: -.infinity, count: count)
        var labels = [UInt8](repeating: 0, count: count)
        for (label, values) in soft.enumerated() {
            let large = try Upscaling.bilinear(
                values,
                propagation.grid,
                height: size.height,
                width: size.width
            )
            let low = large.min() ?? 0
            let high = large.max() ?? 0
            // A label that is nowhere stays at 0, as in the source.
            let (shift, scale) = high > 0 && high > low ? (low, 1 / (high - low)) : (0, 1)
            for i in 0..<count {
                let value = (large[i] - shift) * scale
                if value > best[i] {
                    best[i] = value
                    labels[i] = UInt8(truncatingIfNeeded: label)
                }
            }
        }
        let small = try Image(height: size.height, width: size.width, channels: 1, pixels: labels)
        let full = try small.resized(
            height: mask.height,
            width: mask.width,
            interpolation: .nearest
        )
        return mask.with(full.pixels)
    }
}
