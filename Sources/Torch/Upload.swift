internal import CTorch

/// A copy of elements from memory of the processor to a device, made beside what the device computes.
///
/// The elements are copied to memory that the device reads by itself (pinned), and from there on a stream of their own.
/// Any thread may start an upload.
public final class Upload {
    private let handle: ct_tensor
    private let done: ct_event

    /// Starts a copy; the bytes may be overwritten when this returns.
    ///
    /// - Parameters:
    ///   - bytes: The elements, row by row; exactly as many as `shape` and `dtype` need.
    ///   - dtype: The type of the elements.
    ///   - shape: The size of every dimension.
    ///   - device: The device; not the CPU.
    /// - Throws: ``TorchError`` for a lack of memory, or a device that has no streams.
    public init(
        _ bytes: UnsafeRawBufferPointer,
        dtype: DType,
        shape: [Int],
        to device: Device
    ) throws(TorchError) {
        var handle: ct_tensor?
        var done: ct_event?
        let status = withSizes(shape) { sizes, rank in
            ct_upload(
                bytes.baseAddress,
                bytes.count,
                dtype.code,
                sizes,
                rank,
                device.kind,
                device.index,
                &handle,
                &done
            )
        }
        guard status == 0, let handle, let done else { throw TorchError.last("upload") }
        self.handle = handle
        self.done = done
    }

    deinit {
        ct_tensor_release(handle)
        ct_event_release(done)
    }

    /// The elements on the device, for operations of this thread: they wait for the copy, the thread does not.
    public func tensor() throws(TorchError) -> Tensor {
        try Torch.tensor("upload") { ct_upload_wait(handle, done, $0) }
    }
}
