import Torch

/// The fastest that this machine multiplies matrices: what a forward pass could reach if it were nothing but products.
///
/// It is oneDNN's product with packed weights, `[1576, 768] · [768, 3072]`, the best of some repetitions.
public struct ProductLimit: Codable, Sendable, Equatable {
    /// Thousand millions of additions and multiplications a second in `float32`.
    public var float32: Double

    /// The same in `bfloat16`; nil where the processor has no such products.
    public var bfloat16: Double?

    /// The threads that shared the work.
    public var threads: Int

    private static let (rows, inputs, outputs) = (1576, 768, 3072)

    /// Measures the limit with libtorch's number of threads; nil where oneDNN is missing.
    ///
    /// - Parameter seconds: How long each type is measured; at least five products are.
    /// - Returns: The limit.
    /// - Throws: `TorchError` for a lack of memory.
    public static func measure(seconds: Double = 0.5) throws -> ProductLimit? {
        guard Libtorch.hasOneDNN else { return nil }
        return try withoutGradient {
            let weight = try Tensor.full(0.5, [outputs, inputs])
            func rate(_ dtype: DType) throws -> Double {
                let x = try Tensor.full(0.5, [rows, inputs], dtype: dtype)
                let packed = try Functional.packedForLinear(weight, dtype: dtype, rows: rows)
                return try best(seconds) { _ = try Functional.linearPacked(x, packed, nil) }
            }
            return ProductLimit(
                float32: try rate(.float32),
                bfloat16: Libtorch.hasFastBFloat16 ? try rate(.bfloat16) : nil,
                threads: Libtorch.threadCount
            )
        }
    }

    private static func best(_ seconds: Double, _ product: () throws -> Void) throws -> Double {
        let fastest = try Throughput.timed(seconds: seconds, product).min() ?? 0
        return fastest > 0 ? 2e-9 * Double(rows * inputs * outputs) / fastest : 0
    }
}
