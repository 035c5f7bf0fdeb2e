import Foundation
public import Torch

/// A weight in the order in which oneDNN reads it fastest, packed on first use and again when the weight changes.
///
/// For inference: it is kept next to the weight and costs as much memory as that, half of it in `bfloat16`. Threads may
/// share it.
public final class PackedWeight: @unchecked Sendable {
    private struct Entry {
        let weight: Tensor
        let bias: Tensor?
        let key: Key
    }

    private struct Key: Equatable {
        let version: Int
        let biasVersion: Int
        let dtype: DType
    }

    private let lock = NSLock()
    private var entry: Entry?

    /// Creates a holder of nothing; the first call of `linear` fills it.
    public init() {}

    /// `x weightᵀ + bias`, or `nil` where packing is not for this call: while gradients are recorded, away from the CPU,
    /// for other types than `float32` and `bfloat16`.
    ///
    /// - Parameters:
    ///   - x: `[…, inFeatures]`.
    ///   - weight: `[outFeatures, …]` with `inFeatures` elements for each output.
    ///   - bias: `[outFeatures]`.
    /// - Returns: `[…, outFeatures]` in autocast's type, or else in `x`'s.
    /// - Throws: `TorchError` when the shapes do not fit.
    public func linear(
        _ x: Tensor,
        _ weight: Tensor,
        _ bias: Tensor?
    ) throws(TorchError) -> Tensor? {
        guard !isGradientEnabled, x.device == .cpu, weight.dtype == .float32,
            let version = weight.version
        else { return nil }
        let dtype = autocastDType(on: .cpu) ?? x.dtype
        guard dtype == .float32 || dtype == .bfloat16, x.elementCount > 0 else { return nil }
        let key = Key(
            version: version,
            biasVersion: bias?.version ?? 0,
            dtype: dtype
        )
        let inFeatures = weight.elementCount / max(weight.shape.first ?? 1, 1)
        let rows = max(x.elementCount / max(inFeatures, 1), 1)
        let entry = try packed(weight, bias, key: key, rows: rows)
        return try Functional.linearPacked(x, entry.weight, entry.bias)
    }

    /// Packs a weight ahead of the first call, for a layer that then lets go of the weight itself.
    ///
    /// - Parameters:
    ///   - weight: `[outFeatures, inFeatures]`.
    ///   - bias: `[outFeatures]`.
    ///   - dtype: The type to compute in.
    ///   - rows: How many rows an input will have, about.
    /// - Returns: The packed weight, which can only be multiplied with; it has the shape of `weight`.
    /// - Throws: `TorchError` for a lack of memory.
    func pack(
        _ weight: Tensor,
        _ bias: Tensor?,
        dtype: DType,
        rows: Int
    ) throws(TorchError) -> Tensor {
        let key = Key(
            version: weight.version ?? 0,
            biasVersion: bias?.version ?? 0,
            dtype: dtype
        )
        return try packed(weight, bias, key: key, rows: rows).weight
    }

    /// `x weightᵀ + bias` with what was packed last, whatever became of the weight since.
    ///
    /// - Parameter x: `[…, inFeatures]`.
    /// - Returns: `[…, outFeatures]` in the type that was packed for.
    /// - Throws: `TorchError` when nothing was packed, when the shapes do not fit.
    func linear(_ x: Tensor) throws(TorchError) -> Tensor {
        guard let entry = lock.withLock({ entry }) else {
            throw TorchError(operation: "linear", message: "no weight was packed")
        }
        return try Functional.linearPacked(x, entry.weight, entry.bias)
    }

    /// Whether a weight was packed.
    var isFilled: Bool { lock.withLock { entry != nil } }

    /// Gives the memory back.
    public func clear() {
        lock.withLock { entry = nil }
    }

    private func packed(
        _ weight: Tensor,
        _ bias: Tensor?,
        key: Key,
        rows: Int
    ) throws(TorchError) -> Entry {
        lock.lock()
        defer { lock.unlock() }
        if let entry, entry.key == key { return entry }
        let outFeatures = weight.shape.first ?? 1
        let inFeatures = weight.elementCount / max(outFeatures, 1)
        let matrix = try weight.detached().reshaped([outFeatures, inFeatures])
        let made = Entry(
            weight: try Functional.packedForLinear(matrix, dtype: key.dtype, rows: rows),
            bias: try bias.map { (bias) throws(TorchError) in try bias.detached().to(key.dtype) },
            key: key
        )
        entry = made
        return made
    }
}
