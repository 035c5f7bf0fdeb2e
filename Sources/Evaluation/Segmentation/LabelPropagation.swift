import Foundation
public import Torch
public import VisionModels

/// Carries labels from the first frame of a film to the others by the likeness of patches, without training.
///
/// Every patch of a frame takes the labels of the most alike patches near its place, of the first frame and of some frames
/// before it, weighted by `exp(cosine / temperature)`.
///
/// ## Source
/// Caron et al., `dino/eval_video_segmentation.py`; Jabri et al., "Space-Time Correspondence as a Contrastive Random Walk"
/// (arXiv:2006.14613).
public struct LabelPropagation {
    /// What decides which patches are compared.
    public struct Options: Sendable, Equatable {
        /// How many frames before the one in question are compared, besides the first.
        public var lastFrames: Int

        /// How many patches away a patch may be, down and across; 0 for anywhere.
        public var neighborhood: Int

        /// How many of the most alike patches count.
        public var topK: Int

        /// What cosines are divided by, above 0.
        public var temperature: Double

        /// Creates options; the defaults are DINO's for DAVIS.
        ///
        /// - Parameters:
        ///   - lastFrames: How many frames before the one in question are compared, besides the first; 0 or more.
        ///   - neighborhood: How many patches away a patch may be; 0 for anywhere.
        ///   - topK: How many of the most alike patches count, at least 1.
        ///   - temperature: What cosines are divided by, above 0.
        /// - Throws: ``EvaluationError/invalid(_:)`` for a number out of range.
        public init(
            lastFrames: Int = 7,
            neighborhood: Int = 12,
            topK: Int = 5,
            temperature: Double = 0.1
        ) throws(EvaluationError) {
            guard (0...10_000).contains(lastFrames), (0...100_000).contains(neighborhood),
                (1...100_000).contains(topK)
            else {
                throw .invalid(
                    "label propagation needs 0 or more frames, a neighbourhood of 0 or more patches and at least 1 of "
                        + "the most alike"
                )
            }
            guard temperature.isFinite, temperature >= 1e-3 else {
                throw .invalid("the temperature must be at least 0.001, not \(temperature)")
            }
            self.lastFrames = lastFrames
            self.neighborhood = neighborhood
            self.topK = topK
            self.temperature = temperature
        }
    }

    private struct Frame {
        let features: Tensor  // [width, patches], columns of length 1
        let labels: [[Float]]  // [labels][patches]
    }

    /// What decides which patches are compared.
    public let options: Options

    /// The patches, down and across.
    public let grid: PatchGrid

    private let first: Frame
    private var last: [Frame] = []

    /// Starts with the first frame.
    ///
    /// - Parameters:
    ///   - features: `[patches, width]`.
    ///   - labels: For each label a number for each patch, how much it is of it.
    ///   - grid: The patches, down and across.
    ///   - options: What decides which patches are compared.
    /// - Throws: ``EvaluationError/invalid(_:)`` when the numbers do not fit the grid, `TorchError` for another shape.
    public init(
        _ features: Tensor,
        labels: [[Float]],
        grid: PatchGrid,
        _ options: Options
    ) throws {
        let (patches, _) = try features.shape2()
        guard patches == grid.count, labels.allSatisfy({ $0.count == patches }) else {
            throw EvaluationError.invalid("features and labels do not match \(grid) patches")
        }
        self.options = options
        self.grid = grid
        first = Frame(features: try Self.normalized(features).transposed(0, 1), labels: labels)
    }

    /// Labels the next frame.
    ///
    /// - Parameter features: `[patches, width]`.
    /// - Returns: For each label a number for each patch, 0 to 1; those of a patch sum to 1.
    /// - Throws: `TorchError` when the shape does not fit.
    public mutating func next(_ features: Tensor) throws -> [[Float]] {
        let target = try Self.normalized(features)
        let sources = [first] + last
        var best = Best(patches: grid.count, count: options.topK)
        for (place, source) in sources.enumerated() {
            let cosines = try target.matmul(source.features)
            guard cosines.shape == [grid.count, grid.count] else {
                throw TorchError(
                    operation: "label propagation",
                    message: "features of shape \(features.shape) do not match \(grid) patches"
                )
            }
            try collect(cosines, from: place, into: &best)
        }
        let labels = mixed(best, sources)
        if options.lastFrames > 0 {
            if last.count == options.lastFrames { last.removeFirst() }
            last.append(Frame(features: try target.transposed(0, 1), labels: labels))
        }
        return labels
    }

    /// The most alike patches of each patch, the most alike first.
    private struct Best {
        let count: Int
        var cosines: [Float]
        var sources: [Int32]
        var patches: [Int32]

        init(patches: Int, count: Int) {
            self.count = count
            cosines = [Float](repeating: -.infinity, count: patches * count)
            sources = [Int32](repeating: 0, count: patches * count)
            self.patches = sources
        }

        /// Puts a patch in its place among the best of another one.
        mutating func add(_ cosine: Float, of patch: Int, source: Int, for target: Int) {
            let start = target * count
            var place = start + count - 1
            guard cosine > cosines[place] else { return }
            while place > start, cosine > cosines[place - 1] {
                cosines[place] = cosines[place - 1]
                sources[place] = sources[place - 1]
                patches[place] = patches[place - 1]
                place -= 1
            }
            cosines[place] = cosine
            sources[place] = Int32(truncatingIfNeeded: source)
            patches[place] = Int32(truncatingIfNeeded: patch)
        }
    }

    private func collect(_ cosines: Tensor, from source: Int, into best: inout Best) throws {
        let reach = options.neighborhood > 0 ? options.neighborhood : max(grid.height, grid.width)
        let (height, width) = (grid.height, grid.width)
        let values = try cosines.floats()
        values.withUnsafeBufferPointer { values in
            for row in 0..<height {
                for column in 0..<width {
                    let target = row * width + column
                    let line = target * height * width
                    for y in max(0, row - reach)...min(height - 1, row + reach) {
                        for x in max(0, column - reach)...min(width - 1, column + reach) {
                            let patch = y * width + x
                            best.add(values[line + patch], of: patch, source: source, for: target)
                        }
                    }
                }
            }
        }
    }

    private func mixed(_ best: Best, _ sources: [Frame]) -> [[Float]] {
        var labels = first.labels.map { [Float](repeating: 0, count: $0.count) }
        for target in 0..<grid.count {
            let places = (target * best.count)..<((target + 1) * best.count)
            let weights = places.map { place in
                exp(Double(best.cosines[place]) / options.temperature)
            }
            let sum = weights.reduce(0, +)
            guard sum > 0 else { continue }
            for (place, weight) in zip(places, weights) where weight > 0 {
                let source = sources[Int(best.sources[place])].labels
                let share = Float(weight / sum)
                for label in labels.indices {
                    labels[label][target] += share * source[label][Int(best.patches[place])]
                }
            }
        }
        return labels
    }

    private static func normalized(_ features: Tensor) throws(TorchError) -> Tensor {
        let values = try features.to(.float32)
        let lengths = try values.pow(2).sum([1], keepDims: true).sqrt()
        return try values / lengths.clamped(1e-12...1e30)
    }
}
