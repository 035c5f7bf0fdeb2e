/// A small symmetric matrix.
struct SymmetricMatrix {
    private var a: [[Double]]
    private var v: [[Double]]

    /// - Parameter rows: The elements, as many columns as rows.
    init(_ rows: [[Double]]) {
        a = rows
        v = rows.indices.map { i in rows.indices.map { $0 == i ? 1.0 : 0.0 } }
    }

    /// All eigenvalues, largest first, and their vectors, each of length 1.
    ///
    /// ## Source
    /// Golub and Van Loan, "Matrix Computations" (2013), section 8.5: cyclic Jacobi.
    consuming func eigenvectors() -> (values: [Double], vectors: [[Double]]) {
        let n = a.count
        // Convergence is quadratic; six to ten rounds are usual.
        for _ in 0..<60 {
            var (rest, scale) = (0.0, 0.0)
            for i in 0..<n {
                scale += a[i][i] * a[i][i]
                for j in 0..<i { rest += a[i][j] * a[i][j] }
            }
            if !(rest > 1e-32 * scale) { break }
            for q in 0..<n {
                for p in 0..<q where a[p][q] != 0 { rotate(p, q) }
            }
        }
        let diagonal: [Double] = (0..<n).map { a[$0][$0] }
        let order: [Int] = (0..<n).sorted { (one: Int, other: Int) -> Bool in
            if diagonal[one] == diagonal[other] { return one < other }
            return diagonal[one] > diagonal[other]
        }
        let rows = v
        let vectors: [[Double]] = order.map { (column: Int) -> [Double] in
            rows.map { $0[column] }
        }
        return (order.map { diagonal[$0] }, vectors)
    }

    private mutating func rotate(_ p: Int, _ q: Int) {
        let theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
        let t = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
        let c = 1 / (t * t + 1).squareRoot()
        let s = t * c
        for k in a.indices {
            (a[k][p], a[k][q]) = (c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q])
        }
        for k in a.indices {
            (a[p][k], a[q][k]) = (c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k])
            (v[k][p], v[k][q]) = (c * v[k][p] - s * v[k][q], s * v[k][p] + c * v[k][q])
        }
    }
}
