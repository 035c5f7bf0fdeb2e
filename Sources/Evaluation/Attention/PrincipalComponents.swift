public import Torch

/// The directions in which features differ most: with three of them patches become colours.
///
/// ## Source
/// Caron et al. (arXiv:2104.14294) look at features by their components; Oquab et al., "DINOv2" (arXiv:2304.07193),
/// figure 1, show three as red, green and blue. The sign, which is arbitrary, is the one that makes each component's
/// largest element positive, as scikit-learn's `svd_flip` does with the components.
public struct PrincipalComponents: Sendable, Equatable {
    /// The mean of the features.
    public let mean: [Double]

    /// The directions, each of length 1, the most important first; there may be fewer than requested.
    public let components: [[Double]]

    /// The variance along each direction, over the number of features less 1.
    public let variances: [Double]

    /// Finds the components of features.
    ///
    /// - Parameters:
    ///   - features: `[features, width]`, at least one.
    ///   - count: How many components.
    /// - Throws: `TorchError` when the shape does not fit.
    public init(of features: Tensor, count: Int = 3) throws(TorchError) {
        let (rows, width) = try features.shape2()
        guard rows > 0, width > 0 else {
            throw TorchError(operation: "principal components", message: "there are no features")
        }
        let values = try features.to(.float64)
        let mean = try values.mean([0], keepDims: true)
        let centred = try values - mean
        let transposed = try centred.transposed(0, 1)
        let found = try LeadingEigenvectors(count, size: width) { (vectors) throws(TorchError) in
            try transposed.matmul(centred.matmul(vectors))
        }
        self.mean = try mean.doubles()
        // Equal features have no directions; what rounding makes of them is none.
        let least = try max(values.pow(2).sum().item() * 1e-24, (found.values.first ?? 0) * 1e-12)
        let kept = found.values.prefix { $0 > least }.count
        components = Array(found.vectors.prefix(kept))
        variances = found.values.prefix(kept).map { $0 / Double(max(rows - 1, 1)) }
    }

    /// Returns where features lie along the components.
    ///
    /// - Parameter features: `[features, width]`.
    /// - Returns: For each component as many numbers as features.
    /// - Throws: `TorchError` when the shape does not fit.
    public func project(_ features: Tensor) throws(TorchError) -> [[Float]] {
        let (rows, width) = try features.shape2()
        guard width == mean.count else {
            throw TorchError(
                operation: "principal components",
                message: "features of width \(width) do not fit components of width \(mean.count)"
            )
        }
        guard !components.isEmpty else { return [] }
        let centred = try features.to(.float64) - Tensor.of(mean, shape: [1, width])
        let basis = try Tensor.of(components.flatMap { $0 }, shape: [components.count, width])
        let places = try basis.matmul(centred.transposed(0, 1)).floats()
        return components.indices.map { Array(places[($0 * rows)..<(($0 + 1) * rows)]) }
    }
}
