internal import CTorch

extension Tensor {
    /// Creates a tensor from a copy of bytes in native byte order.
    ///
    /// - Parameters:
    ///   - bytes: The elements, row by row; exactly as many as `shape` and `dtype` need.
    ///   - dtype: The type of the elements.
    ///   - shape: The size of every dimension.
    /// - Throws: ``TorchError`` when the number of bytes does not fit.
    public convenience init(
        bytes: UnsafeRawBufferPointer,
        dtype: DType,
        shape: [Int]
    ) throws(TorchError) {
        var handle: ct_tensor?
        let status = withSizes(shape) { sizes, rank in
            ct_from_bytes(bytes.baseAddress, bytes.count, dtype.code, sizes, rank, &handle)
        }
        guard status == 0, let handle else { throw TorchError.last("from bytes") }
        self.init(owning: handle)
    }

    /// Creates a tensor from elements of Swift's type for `dtype`.
    convenience init<Element: BitwiseCopyable>(
        elements: [Element],
        dtype: DType,
        shape: [Int]
    ) throws(TorchError) {
        var handle: ct_tensor?
        let status = elements.withUnsafeBytes { bytes in
            withSizes(shape) { sizes, rank in
                ct_from_bytes(bytes.baseAddress, bytes.count, dtype.code, sizes, rank, &handle)
            }
        }
        guard status == 0, let handle else { throw TorchError.last("from elements") }
        self.init(owning: handle)
    }

    /// Creates a tensor on the CPU whose elements are yet to be written.
    ///
    /// - Parameters:
    ///   - shape: The size of every dimension.
    ///   - dtype: The type of the elements.
    /// - Throws: ``TorchError`` for a negative size or a lack of memory.
    public convenience init(unwritten shape: [Int], dtype: DType) throws(TorchError) {
        var handle: ct_tensor?
        let status = withSizes(shape) { ct_empty($0, $1, dtype.code, &handle) }
        guard status == 0, let handle else { throw TorchError.last("allocate") }
        self.init(owning: handle)
    }

    /// Creates a tensor of `float32`.
    ///
    /// - Parameters:
    ///   - values: The elements, row by row.
    ///   - shape: The size of every dimension.
    /// - Throws: ``TorchError`` when the number of values does not fit the shape.
    public convenience init(_ values: [Float], shape: [Int]) throws(TorchError) {
        var handle: ct_tensor?
        let status = values.withUnsafeBytes { bytes in
            withSizes(shape) { sizes, rank in
                ct_from_bytes(bytes.baseAddress, bytes.count, CT_FLOAT32, sizes, rank, &handle)
            }
        }
        guard status == 0, let handle else { throw TorchError.last("from floats") }
        self.init(owning: handle)
    }

    /// Creates a tensor of `int64`.
    ///
    /// - Parameters:
    ///   - values: The elements, row by row.
    ///   - shape: The size of every dimension.
    /// - Throws: ``TorchError`` when the number of values does not fit the shape.
    @_disfavoredOverload  // Literals without a type are floats.
    public convenience init(_ values: [Int64], shape: [Int]) throws(TorchError) {
        var handle: ct_tensor?
        let status = values.withUnsafeBytes { bytes in
            withSizes(shape) { sizes, rank in
                ct_from_bytes(bytes.baseAddress, bytes.count, CT_INT64, sizes, rank, &handle)
            }
        }
        guard status == 0, let handle else { throw TorchError.last("from integers") }
        self.init(owning: handle)
    }

    /// A tensor with one value everywhere.
    ///
    /// - Parameters:
    ///   - value: The value of every element.
    ///   - shape: The size of every dimension.
    ///   - dtype: The type of the elements.
    ///   - device: Where to create it.
    /// - Returns: The new tensor.
    /// - Throws: ``TorchError`` for a negative size or a lack of memory.
    public static func full(
        _ value: Double,
        _ shape: [Int],
        dtype: DType = .float32,
        device: Device = .cpu
    ) throws(TorchError) -> Tensor {
        try tensor("full") { out in
            withSizes(shape) { ct_full($0, $1, value, dtype.code, device.kind, device.index, out) }
        }
    }

    /// A tensor of this one's shape and type without elements: reading it is an error.
    package func withoutElements() throws(TorchError) -> Tensor {
        try tensor("without elements") { ct_without_elements(handle, $0) }
    }

    /// A tensor of zeros; see ``full(_:_:dtype:device:)``.
    public static func zeros(
        _ shape: [Int],
        dtype: DType = .float32,
        device: Device = .cpu
    ) throws(TorchError) -> Tensor {
        try full(0, shape, dtype: dtype, device: device)
    }

    /// A tensor of ones; see ``full(_:_:dtype:device:)``.
    public static func ones(
        _ shape: [Int],
        dtype: DType = .float32,
        device: Device = .cpu
    ) throws(TorchError) -> Tensor {
        try full(1, shape, dtype: dtype, device: device)
    }

    /// The numbers 0, 1, … `count - 1`.
    public static func arange(_ count: Int, dtype: DType = .int64) throws(TorchError) -> Tensor {
        try tensor("arange") { ct_arange(Int64(count), dtype.code, $0) }
    }

    /// Standard normal numbers from libtorch's default generator; see ``manualSeed(_:)``.
    public static func randn(_ shape: [Int], dtype: DType = .float32) throws(TorchError) -> Tensor {
        try tensor("randn") { out in withSizes(shape) { ct_randn($0, $1, dtype.code, out) } }
    }

    /// Uniform numbers in [0, 1) from the default generator, with the type and device of this tensor.
    public func randLike(shape: [Int]) throws(TorchError) -> Tensor {
        try tensor("rand") { out in withSizes(shape) { ct_rand_like(handle, $0, $1, out) } }
    }

    /// A copy with elements of its own.
    public func clone() throws(TorchError) -> Tensor {
        try tensor("clone") { ct_clone(handle, $0) }
    }

    /// The same elements in another type; the tensor itself where it has the type already.
    public func to(_ dtype: DType) throws(TorchError) -> Tensor {
        try tensor("convert") { ct_to_dtype(handle, dtype.code, $0) }
    }

    /// The same elements on another device; the tensor itself where it is there already.
    public func to(_ device: Device) throws(TorchError) -> Tensor {
        try tensor("move") { ct_to_device(handle, device.kind, device.index, $0) }
    }

    /// The elements in row-major order, copied only where they are not.
    public func contiguous() throws(TorchError) -> Tensor {
        try tensor("contiguous") { ct_contiguous(handle, $0) }
    }

    /// A `[batch, channels, height, width]` tensor with the channels innermost in memory.
    public func channelsLast() throws(TorchError) -> Tensor {
        try tensor("channels last") { ct_channels_last(handle, $0) }
    }
}

extension Tensor {
    /// Calls `body` with the elements, row by row in native byte order, on the CPU.
    ///
    /// - Parameter body: What reads the bytes; they are valid only during the call.
    /// - Returns: What `body` returns.
    /// - Throws: ``TorchError`` when the elements cannot be copied to the CPU, and what `body` throws.
    public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
        let readable = try to(Device.cpu).contiguous()
        var address: UnsafeRawPointer?
        try guarded("read") { ct_data(readable.handle, &address) }
        return try withExtendedLifetime(readable) {
            try body(
                UnsafeRawBufferPointer(
                    start: address,
                    count: readable.elementCount * readable.dtype.byteSize
                )
            )
        }
    }

    /// Calls `body` with the memory of the elements, row by row, for writing; autograd does not see it.
    ///
    /// - Parameter body: What writes the bytes, in native byte order; valid only during the call.
    /// - Returns: What `body` returns; nil, without a call, where the elements are not contiguous in the
    ///   CPU's memory.
    /// - Throws: What `body` throws.
    public func withMutableBytes<R, E: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(E) -> R
    ) throws(E) -> R? {
        var address: UnsafeMutableRawPointer?
        guard ct_mutable_data(handle, &address) == 0 else { return nil }
        let count = elementCount * dtype.byteSize
        guard address != nil || count == 0 && device == .cpu else { return nil }
        defer { withExtendedLifetime(self) {} }
        return try body(UnsafeMutableRawBufferPointer(start: address, count: count))
    }

    /// The elements as `Float`, row by row.
    public func floats() throws(TorchError) -> [Float] {
        try elements(of: .float32)
    }

    /// The elements as `Double`, row by row.
    public func doubles() throws(TorchError) -> [Double] {
        try elements(of: .float64)
    }

    /// The elements as `Int64`, row by row.
    public func int64s() throws(TorchError) -> [Int64] {
        try elements(of: .int64)
    }

    /// The only element of a tensor; waits for the device.
    ///
    /// - Returns: The element.
    /// - Throws: ``TorchError`` when there is not exactly one.
    public func item() throws(TorchError) -> Double {
        var value = 0.0
        try guarded("item") { ct_item(handle, &value) }
        return value
    }

    func elements<Element>(of dtype: DType) throws(TorchError) -> [Element] {
        let readable = try detached().to(dtype).to(Device.cpu).contiguous()
        var address: UnsafeRawPointer?
        try guarded("read") { ct_data(readable.handle, &address) }
        return withExtendedLifetime(readable) {
            Array(
                UnsafeRawBufferPointer(
                    start: address,
                    count: readable.elementCount * dtype.byteSize
                )
                .bindMemory(to: Element.self)
            )
        }
    }
}
