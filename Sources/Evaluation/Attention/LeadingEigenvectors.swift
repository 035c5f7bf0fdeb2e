import ImagePipeline
import Torch

/// The largest eigenvalues of a symmetric matrix and their vectors, by subspace iteration in 64 bits.
///
/// The matrix is known by its products only, so that a covariance needs not be formed. Some more vectors than are wanted
/// are iterated, which lets the wanted ones converge where eigenvalues lie close together; a small dense problem in their
/// span distinguishes them (Rayleigh and Ritz). The start is the same every time.
///
/// ## Source
/// Saad, "Numerical Methods for Large Eigenvalue Problems" (2011), algorithm 5.3; Stathopoulos and Wu, "A Block
/// Orthogonalization Procedure with Constant Synchronization Requirements" (2002).
struct LeadingEigenvectors {
    /// The eigenvalues, largest first; those of a matrix of lower rank end where only 0 is left.
    let values: [Double]

    /// The vectors, each of length 1 and with its largest element positive.
    let vectors: [[Double]]

    private static let extraVectors = 8
    private static let mostIterations = 1000
    private static let tolerance = 1e-11

    /// - Parameters:
    ///   - wanted: How many eigenvectors; fewer come back where the matrix has a lower rank.
    ///   - size: The rows of the matrix, whose eigenvalues are 0 or more.
    ///   - product: The matrix times `[size, vectors]` of `float64`.
    /// - Throws: `TorchError` when a product fails.
    init(
        _ wanted: Int,
        size: Int,
        product: (Tensor) throws(TorchError) -> Tensor
    ) throws(TorchError) {
        let count = min(size, wanted + Self.extraVectors)
        var generator = SplitMix64(seed: 0x5EE)
        let start = (0..<(size * count)).map { _ in generator.normal() }
        var basis = try Self.orthonormal(Tensor.of(start, shape: [size, count]))
        var values: [Double] = []
        for _ in 0..<Self.mostIterations where basis.shape[1] > 0 {
            let images = try product(basis)
            let small = try Self.rows(of: basis.transposed(0, 1).matmul(images))
            let (ritz, turns) = SymmetricMatrix(small).eigenvectors()
            let turn = try Tensor.of(turns.flatMap { $0 }, shape: [ritz.count, ritz.count])
                .transposed(0, 1)
            let vectors = try basis.matmul(turn)
            let turned = try images.matmul(turn)
            values = ritz
            let scaled = try vectors * Tensor.of(ritz, shape: [1, ritz.count])
            let residuals = try (turned - scaled).pow(2).sum([0]).sqrt().doubles()
            let limit = Self.tolerance * abs(ritz.first ?? 0)
            if residuals.prefix(wanted).allSatisfy({ $0 <= limit }) {
                basis = vectors
                break
            }
            basis = try Self.orthonormal(turned)
        }
        let columns = try Self.rows(of: basis.transposed(0, 1))
        let kept = min(wanted, columns.count, values.count)
        self.values = Array(values.prefix(kept))
        self.vectors = columns.prefix(kept).map(Self.upright)
    }

    /// The vector with the sign that makes its largest element positive.
    private static func upright(_ vector: [Double]) -> [Double] {
        var largest = 0.0
        // Of elements that are equal but for rounding the first counts.
        for value in vector where abs(value) > abs(largest) * (1 + 1e-9) { largest = value }
        return largest < 0 ? vector.map { -$0 } : vector
    }

    /// Columns of length 1, at right angles, that span what the columns span; fewer where these depend on one another.
    private static func orthonormal(_ vectors: Tensor) throws(TorchError) -> Tensor {
        var basis = vectors
        // The second round takes away what rounding left of the first.
        for _ in 0..<2 {
            let products = try rows(of: basis.transposed(0, 1).matmul(basis))
            let scales = products.indices.map { i in
                products[i][i] > 0 ? 1 / products[i][i].squareRoot() : 0
            }
            let cosines = products.indices.map { i in
                products.indices.map { products[i][$0] * scales[i] * scales[$0] }
            }
            let (values, turns) = SymmetricMatrix(cosines).eigenvectors()
            let least = 1e-13 * (values.first ?? 0)
            let kept = values.indices.filter { values[$0] > least && values[$0] > 0 }
            let change = products.indices.flatMap { i in
                kept.map { scales[i] * turns[$0][i] / values[$0].squareRoot() }
            }
            basis = try basis.matmul(Tensor.of(change, shape: [products.count, kept.count]))
        }
        return basis
    }

    private static func rows(of tensor: Tensor) throws(TorchError) -> [[Double]] {
        let (rows, columns) = try tensor.shape2()
        let values = try tensor.doubles()
        return (0..<rows).map { Array(values[($0 * columns)..<(($0 + 1) * columns)]) }
    }
}

extension Tensor {
    /// A tensor of `float64`.
    static func of(_ values: [Double], shape: [Int]) throws(TorchError) -> Tensor {
        try values.withUnsafeBytes { bytes in
            Result { () throws(TorchError) in
                try Tensor(bytes: bytes, dtype: .float64, shape: shape)
            }
        }.get()
    }
}
