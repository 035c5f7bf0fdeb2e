internal import CTorch

extension Tensor {
    /// The sum, element by element, with libtorch's broadcasting.
    public static func + (a: Tensor, b: Tensor) throws(TorchError) -> Tensor {
        try tensor("add") { ct_add(a.handle, b.handle, $0) }
    }

    /// The difference, element by element, with libtorch's broadcasting.
    public static func - (a: Tensor, b: Tensor) throws(TorchError) -> Tensor {
        try tensor("sub") { ct_sub(a.handle, b.handle, $0) }
    }

    /// The product, element by element, with libtorch's broadcasting.
    public static func * (a: Tensor, b: Tensor) throws(TorchError) -> Tensor {
        try tensor("mul") { ct_mul(a.handle, b.handle, $0) }
    }

    /// The quotient, element by element, with libtorch's broadcasting.
    public static func / (a: Tensor, b: Tensor) throws(TorchError) -> Tensor {
        try tensor("div") { ct_div(a.handle, b.handle, $0) }
    }

    /// Adds a number to every element.
    public static func + (a: Tensor, b: Double) throws(TorchError) -> Tensor {
        try tensor("add") { ct_add_scalar(a.handle, b, $0) }
    }

    /// Subtracts a number from every element.
    public static func - (a: Tensor, b: Double) throws(TorchError) -> Tensor {
        try tensor("sub") { ct_add_scalar(a.handle, -b, $0) }
    }

    /// Multiplies every element by a number.
    public static func * (a: Tensor, b: Double) throws(TorchError) -> Tensor {
        try tensor("mul") { ct_mul_scalar(a.handle, b, $0) }
    }

    /// Divides every element by a number.
    public static func / (a: Tensor, b: Double) throws(TorchError) -> Tensor {
        try tensor("div") { ct_mul_scalar(a.handle, 1 / b, $0) }
    }

    /// The negated elements.
    public static prefix func - (a: Tensor) throws(TorchError) -> Tensor {
        try tensor("neg") { ct_neg(a.handle, $0) }
    }

    /// `e` to the power of every element.
    public func exp() throws(TorchError) -> Tensor { try tensor("exp") { ct_exp(handle, $0) } }

    /// The natural logarithm of every element.
    public func log() throws(TorchError) -> Tensor { try tensor("log") { ct_log(handle, $0) } }

    /// The square root of every element.
    public func sqrt() throws(TorchError) -> Tensor { try tensor("sqrt") { ct_sqrt(handle, $0) } }

    /// The absolute value of every element.
    public func abs() throws(TorchError) -> Tensor { try tensor("abs") { ct_abs(handle, $0) } }

    /// The largest whole number that is not above each element.
    public func floor() throws(TorchError) -> Tensor {
        try tensor("floor") { ct_floor(handle, $0) }
    }

    /// The logistic function of every element.
    public func sigmoid() throws(TorchError) -> Tensor {
        try tensor("sigmoid") { ct_sigmoid(handle, $0) }
    }

    /// The hyperbolic tangent of every element.
    public func tanh() throws(TorchError) -> Tensor { try tensor("tanh") { ct_tanh(handle, $0) } }

    /// Every element to the power of `exponent`.
    public func pow(_ exponent: Double) throws(TorchError) -> Tensor {
        try tensor("pow") { ct_pow_scalar(handle, exponent, $0) }
    }

    /// Every element limited to a range.
    public func clamped(_ range: ClosedRange<Double>) throws(TorchError) -> Tensor {
        try tensor("clamp") { ct_clamp(handle, range.lowerBound, range.upperBound, $0) }
    }

    /// The matrix product, batched where the operands have more than two dimensions.
    public func matmul(_ other: Tensor) throws(TorchError) -> Tensor {
        try tensor("matmul") { ct_matmul(handle, other.handle, $0) }
    }

    /// Whether elements are equal, as a tensor of `bool`.
    public func equal(_ other: Tensor) throws(TorchError) -> Tensor {
        try tensor("eq") { ct_eq(handle, other.handle, $0) }
    }

    /// Whether elements are smaller than those of `other`, as a tensor of `bool`.
    public func less(_ other: Tensor) throws(TorchError) -> Tensor {
        try tensor("lt") { ct_lt(handle, other.handle, $0) }
    }

    /// Whether elements are larger than those of `other`, as a tensor of `bool`.
    public func greater(_ other: Tensor) throws(TorchError) -> Tensor {
        try tensor("gt") { ct_gt(handle, other.handle, $0) }
    }

    /// Whether elements are neither infinite nor NaN, as a tensor of `bool`.
    public func isFinite() throws(TorchError) -> Tensor {
        try tensor("isfinite") { ct_isfinite(handle, $0) }
    }
}

extension Tensor {
    /// The sum over dimensions, or over all of them.
    ///
    /// - Parameters:
    ///   - dims: The dimensions to sum over; all where empty.
    ///   - keepDims: Whether they stay with size 1.
    /// - Returns: The sum.
    /// - Throws: ``TorchError`` for a dimension that is not there.
    public func sum(_ dims: [Int] = [], keepDims: Bool = false) throws(TorchError) -> Tensor {
        try tensor("sum") { out in withSizes(dims) { ct_sum(handle, $0, $1, keepDims, out) } }
    }

    /// The mean over dimensions, or over all of them; see ``sum(_:keepDims:)``.
    public func mean(_ dims: [Int] = [], keepDims: Bool = false) throws(TorchError) -> Tensor {
        try tensor("mean") { out in withSizes(dims) { ct_mean(handle, $0, $1, keepDims, out) } }
    }

    /// The largest element.
    public func max() throws(TorchError) -> Tensor { try tensor("max") { ct_max(handle, $0) } }

    /// The smallest element.
    public func min() throws(TorchError) -> Tensor { try tensor("min") { ct_min(handle, $0) } }

    /// The index of the largest element along a dimension, as `int64`.
    public func argmax(_ dim: Int, keepDims: Bool = false) throws(TorchError) -> Tensor {
        try tensor("argmax") { ct_argmax(handle, Int64(dim), keepDims, $0) }
    }

    /// The `k` largest elements along a dimension, largest first, and their indices.
    public func topK(
        _ k: Int,
        dim: Int = -1
    ) throws(TorchError) -> (values: Tensor, indices: Tensor) {
        var values: ct_tensor?
        var indices: ct_tensor?
        try guarded("topk") { ct_topk(handle, Int64(k), Int64(dim), &values, &indices) }
        guard let values, let indices else { throw TorchError.last("topk") }
        return (Tensor(owning: values), Tensor(owning: indices))
    }

    /// The square root of the sum of all squares.
    public func norm() throws(TorchError) -> Tensor { try tensor("norm") { ct_norm(handle, $0) } }
}
