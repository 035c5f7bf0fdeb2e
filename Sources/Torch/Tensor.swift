internal import CTorch

/// A reference to a libtorch tensor.
///
/// Two `Tensor` values may share elements: views, ``detached()`` and reshapes do. Operations give new tensors; those
/// that write in place say so in their name or documentation.
///
/// A tensor is not `Sendable`. libtorch's gradient mode and autocast belong to a thread, so tensors stay on the
/// thread of ``ModelActor``; what crosses tasks are values, such as arrays.
public final class Tensor {
    let handle: ct_tensor

    /// Takes over a reference that the C interface gave (+1).
    init(owning handle: ct_tensor) {
        self.handle = handle
    }

    deinit {
        ct_tensor_release(handle)
    }

    /// The number of dimensions.
    public var rank: Int { Int(ct_rank(handle)) }

    /// The size of every dimension.
    public var shape: [Int] {
        let rank = rank
        let sizes = [Int64](unsafeUninitializedCapacity: rank) { buffer, count in
            if let address = buffer.baseAddress { ct_sizes(handle, address) }
            count = rank
        }
        return sizes.map { Int($0) }
    }

    /// The number of elements.
    public var elementCount: Int { Int(ct_element_count(handle)) }

    /// The type of the elements.
    ///
    /// Types that this package never creates (complex, quantised) read as `uint8`.
    public var dtype: DType { DType(code: ct_dtype_of(handle)) ?? .uint8 }

    /// Where the elements live.
    public var device: Device {
        var kind: Int32 = 0
        var index: Int32 = 0
        ct_device_of(handle, &kind, &index)
        return Device(kind: kind, index: index)
    }

    /// A number that every change of the elements increases; `nil` where libtorch counts none (inference mode).
    public var version: Int? {
        let version = ct_version(handle)
        return version < 0 ? nil : Int(version)
    }

    /// How many tensors are alive in the process; leak checks compare it before and after.
    public static var liveCount: Int { Int(ct_live_tensor_count()) }
}

extension Tensor: CustomStringConvertible {
    /// The type, shape and device, without the elements.
    public var description: String { "Tensor(\(dtype), \(shape), \(device))" }
}

extension Tensor {
    /// The sizes of a tensor of rank 2.
    ///
    /// - Returns: The two sizes.
    /// - Throws: ``TorchError`` when the rank is another one.
    public func shape2() throws(TorchError) -> (Int, Int) {
        let shape = try shape(ofRank: 2)
        return (shape[0], shape[1])
    }

    /// The sizes of a tensor of rank 3.
    ///
    /// - Returns: The three sizes.
    /// - Throws: ``TorchError`` when the rank is another one.
    public func shape3() throws(TorchError) -> (Int, Int, Int) {
        let shape = try shape(ofRank: 3)
        return (shape[0], shape[1], shape[2])
    }

    /// The sizes of a tensor of rank 4.
    ///
    /// - Returns: The four sizes.
    /// - Throws: ``TorchError`` when the rank is another one.
    public func shape4() throws(TorchError) -> (Int, Int, Int, Int) {
        let shape = try shape(ofRank: 4)
        return (shape[0], shape[1], shape[2], shape[3])
    }

    private func shape(ofRank expected: Int) throws(TorchError) -> [Int] {
        let shape = shape
        guard shape.count == expected else {
            throw TorchError(
                operation: "shape",
                message: "expected \(expected) dimensions, found the shape \(shape)"
            )
        }
        return shape
    }
}

/// Calls `body` with sizes in the form of the C interface.
func withSizes<R>(_ sizes: [Int], _ body: (UnsafePointer<Int64>?, Int32) -> R) -> R {
    sizes.map { Int64($0) }.withUnsafeBufferPointer {
        body($0.baseAddress, Int32(clamping: $0.count))
    }
}

/// Calls `body` with the handles of `tensors`, which stay alive during the call.
func withHandles<R>(_ tensors: [Tensor], _ body: (UnsafePointer<ct_tensor>?, Int32) -> R) -> R {
    withExtendedLifetime(tensors) {
        tensors.map(\.handle).withUnsafeBufferPointer {
            body($0.baseAddress, Int32(clamping: $0.count))
        }
    }
}
