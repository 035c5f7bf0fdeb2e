public import Torch
public import VisionModels

/// Foreground without labels: the patches of an image cut in two where their features differ most.
///
/// Patches are joined by 1 where the cosine of their features is above `tau`, else by a trifle. The second smallest
/// eigenvector of `(D - W) y = λ D y` says on which side of the best cut a patch lies; it is cut at its mean. The side with
/// the largest element is the foreground, unless it holds three of the image's corners.
///
/// ## Source
/// Wang et al., "TokenCut" (arXiv:2202.11539), section 3; the corners are those of Wang et al., "CutLER"
/// (arXiv:2301.11320), appendix. Shi and Malik, "Normalized Cuts and Image Segmentation" (2000).
public struct NormalizedCut: Sendable, Equatable {
    /// The patches, down and across.
    public let grid: PatchGrid

    /// How much each patch belongs to the foreground: above 0 it does; the eigenvector less its mean, of length 1.
    public let values: [Float]

    /// The patch that is most certainly foreground.
    public let seed: Int

    /// The second smallest eigenvalue, 0 to 2: the smaller, the clearer the cut.
    public let eigenvalue: Double

    /// The patches of the foreground.
    public var mask: [Bool] { values.map { $0 > 0 } }

    private static let trifle = 1e-5

    /// Cuts an image.
    ///
    /// - Parameters:
    ///   - features: `[patches, width]`, row by row of the grid.
    ///   - grid: The patches, down and across.
    ///   - tau: The cosine above which patches belong together, -1 to 1; the paper's is 0.2.
    /// - Throws: `TorchError` when the shape does not fit, ``EvaluationError/invalid(_:)`` for a grid of another size.
    public init(_ features: Tensor, grid: PatchGrid, tau: Double = 0.2) throws {
        let (patches, _) = try features.shape2()
        guard patches == grid.count, patches > 0 else {
            throw EvaluationError.invalid("\(patches) features do not match \(grid) patches")
        }
        self.grid = grid
        guard patches > 1 else {
            (values, seed, eigenvalue) = ([1], 0, 0)
            return
        }
        let unit = try Self.normalized(features)
        let cosines = try unit.matmul(unit.transposed(0, 1))
        let ones = try cosines * 0 + 1
        let weights = try Tensor.where(
            cosines.greater(ones * tau),
            ones,
            ones * Self.trifle
        )
        let scale = try weights.sum([1], keepDims: true).pow(-0.5)  // [patches, 1]
        let similar = try weights * scale * scale.transposed(0, 1)
        // The eigenvalues of this matrix are within -1 and 1; 1 more makes the largest of magnitude the largest.
        let found = try LeadingEigenvectors(2, size: patches) { (vectors) throws(TorchError) in
            try similar.matmul(vectors) + vectors
        }
        let scales = try scale.doubles()
        let vector = found.vectors.count > 1 ? found.vectors[1] : found.vectors[0]
        let cut = vector.indices.map { vector[$0] * scales[$0] }
        eigenvalue = max(0, 2 - (found.values.count > 1 ? found.values[1] : 2))
        (values, seed) = Self.foreground(cut, grid)
    }

    /// The eigenvector less its mean, with the foreground above 0.
    private static func foreground(_ cut: [Double], _ grid: PatchGrid) -> ([Float], Int) {
        let mean = cut.reduce(0, +) / Double(cut.count)
        var centred = cut.map { $0 - mean }
        // The seed is the largest element of the eigenvector itself; its side is the foreground.
        let seed = cut.indices.max { abs(cut[$0]) < abs(cut[$1]) } ?? 0
        if centred[seed] <= 0 { centred = centred.map { -$0 } }
        let last = grid.count - 1
        let corners = [0, grid.width - 1, last - grid.width + 1, last]
        if corners.count(where: { centred[$0] > 0 }) >= 3 { centred = centred.map { -$0 } }
        let length = centred.reduce(0) { $0 + $1 * $1 }.squareRoot()
        if length > 0 { centred = centred.map { $0 / length } }
        let best = centred.indices.max { centred[$0] < centred[$1] } ?? 0
        return (centred.map { Float($0) }, best)
    }

    /// Features of length 1 in 64 bits.
    private static func normalized(_ features: Tensor) throws(TorchError) -> Tensor {
        let values = try features.to(.float64)
        let lengths = try values.pow(2).sum([1], keepDims: true).sqrt()
        return try values / lengths.clamped(1e-12...1e30)
    }
}
