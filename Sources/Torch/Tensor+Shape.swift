internal import CTorch

extension Tensor {
    /// The elements in another shape, shared where the layout allows it.
    ///
    /// - Parameter shape: The new sizes; one may be -1, which is worked out.
    /// - Returns: The reshaped tensor.
    /// - Throws: ``TorchError`` when the number of elements differs.
    public func reshaped(_ shape: [Int]) throws(TorchError) -> Tensor {
        try tensor("reshape") { out in withSizes(shape) { ct_reshape(handle, $0, $1, out) } }
    }

    /// A view with the dimensions in another order.
    public func permuted(_ dims: [Int]) throws(TorchError) -> Tensor {
        try tensor("permute") { out in withSizes(dims) { ct_permute(handle, $0, $1, out) } }
    }

    /// A view with two dimensions exchanged.
    public func transposed(_ first: Int, _ second: Int) throws(TorchError) -> Tensor {
        try tensor("transpose") { ct_transpose(handle, Int64(first), Int64(second), $0) }
    }

    /// A view in which dimensions of size 1 are repeated without a copy; -1 keeps a size.
    public func expanded(_ shape: [Int]) throws(TorchError) -> Tensor {
        try tensor("expand") { out in withSizes(shape) { ct_expand(handle, $0, $1, out) } }
    }

    /// The elements with the dimensions `from ... to` joined into one.
    public func flattened(from: Int = 0, to: Int = -1) throws(TorchError) -> Tensor {
        try tensor("flatten") { ct_flatten(handle, Int64(from), Int64(to), $0) }
    }

    /// A view without a dimension of size 1.
    public func squeezed(_ dim: Int) throws(TorchError) -> Tensor {
        try tensor("squeeze") { ct_squeeze(handle, Int64(dim), $0) }
    }

    /// A view with a new dimension of size 1.
    public func unsqueezed(_ dim: Int) throws(TorchError) -> Tensor {
        try tensor("unsqueeze") { ct_unsqueeze(handle, Int64(dim), $0) }
    }

    /// A view of the elements in a range of a dimension.
    public func narrowed(_ dim: Int, _ range: Range<Int>) throws(TorchError) -> Tensor {
        try tensor("narrow") {
            ct_narrow(handle, Int64(dim), Int64(range.lowerBound), Int64(range.upperBound), $0)
        }
    }

    /// A view of one element of a dimension, which disappears.
    public func selected(_ dim: Int, _ index: Int) throws(TorchError) -> Tensor {
        try tensor("select") { ct_select(handle, Int64(dim), Int64(index), $0) }
    }

    /// Views of all elements of the first dimension.
    public func unbound() throws(TorchError) -> [Tensor] {
        var parts: [Tensor] = []
        for index in 0..<(shape.first ?? 0) { parts.append(try selected(0, index)) }
        return parts
    }

    /// The elements of a dimension at the places that `index` (`int64`) lists.
    public func indexSelected(_ dim: Int, _ index: Tensor) throws(TorchError) -> Tensor {
        try tensor("index select") { ct_index_select(handle, Int64(dim), index.handle, $0) }
    }

    /// The elements that `index` (`int64`, of the same rank) names along a dimension.
    public func gathered(_ dim: Int, _ index: Tensor) throws(TorchError) -> Tensor {
        try tensor("gather") { ct_gather(handle, Int64(dim), index.handle, $0) }
    }

    /// The elements in reverse order along a dimension.
    public func flipped(_ dim: Int) throws(TorchError) -> Tensor {
        try tensor("flip") { ct_flip(handle, Int64(dim), $0) }
    }

    /// Joins tensors along a dimension that they have.
    public static func cat(_ tensors: [Tensor], dim: Int) throws(TorchError) -> Tensor {
        guard !tensors.isEmpty else {
            throw TorchError(operation: "cat", message: "there are no tensors to concatenate")
        }
        return try tensor("cat") { out in
            withHandles(tensors) { handles, count in
                handles.map { ct_cat($0, count, Int64(dim), out) } ?? 1
            }
        }
    }

    /// Joins tensors of equal shape along a new dimension.
    public static func stack(_ tensors: [Tensor], dim: Int = 0) throws(TorchError) -> Tensor {
        guard !tensors.isEmpty else {
            throw TorchError(operation: "stack", message: "there are no tensors to concatenate")
        }
        return try tensor("stack") { out in
            withHandles(tensors) { handles, count in
                handles.map { ct_stack($0, count, Int64(dim), out) } ?? 1
            }
        }
    }

    /// One row for each class index, with a 1 at the class: `[…]` of `int64` to `[…, classes]` of `float32`.
    public func oneHot(classes: Int) throws(TorchError) -> Tensor {
        try tensor("one hot") { ct_one_hot(handle, Int64(classes), $0) }
    }

    /// The elements where `mask` (`bool`) is true, as one dimension.
    public func masked(_ mask: Tensor) throws(TorchError) -> Tensor {
        try tensor("masked select") { ct_masked_select(handle, mask.handle, $0) }
    }

    /// The elements of `a` where `condition` is true, of `b` elsewhere.
    public static func `where`(
        _ condition: Tensor,
        _ a: Tensor,
        _ b: Tensor
    ) throws(TorchError) -> Tensor {
        try tensor("where") { ct_where(condition.handle, a.handle, b.handle, $0) }
    }
}
