// The unavailable overloads below are ambiguous on purpose: they turn a mistake into a message.
// swift-format-ignore-file: AmbiguousTrailingClosureOverload

internal import CTorch

extension Tensor {
    /// Computes the gradients of this number with respect to every tensor that requires them.
    ///
    /// Gradients add up in ``gradient()`` until ``clearGradient()``.
    ///
    /// - Throws: ``TorchError`` when this is not one number or nothing requires a gradient.
    public func backward() throws(TorchError) {
        try guarded("backward") { ct_backward(handle) }
    }

    /// The gradient that ``backward()`` left here, if any.
    public func gradient() throws(TorchError) -> Tensor? {
        var gradient: ct_tensor?
        try guarded("gradient") { ct_grad(handle, &gradient) }
        return gradient.map(Tensor.init(owning:))
    }

    /// Drops the gradient.
    public func clearGradient() throws(TorchError) {
        try guarded("clear gradient") { ct_clear_grad(handle) }
    }

    /// The same elements without a history.
    public func detached() throws(TorchError) -> Tensor {
        try tensor("detach") { ct_detach(handle, $0) }
    }

    /// Whether operations on this tensor are recorded for ``backward()``.
    public var requiresGradient: Bool { ct_requires_grad(handle) }

    /// Sets whether operations on this tensor are recorded.
    ///
    /// - Parameter value: Whether a gradient is wanted.
    /// - Throws: ``TorchError`` for a tensor of integers, or one that is itself the result of a recorded operation.
    public func setRequiresGradient(_ value: Bool) throws(TorchError) {
        try guarded("requires gradient") { ct_set_requires_grad(handle, value) }
    }
}

/// Runs a closure whose operations autograd does not record.
///
/// The mode belongs to the thread, so the closure is synchronous: a task that waits may go on on another thread.
///
/// - Parameter body: What to run.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws; the mode is restored all the same.
public func withoutGradient<R, Failure>(_ body: () throws(Failure) -> R) throws(Failure) -> R {
    let previous = ct_grad_mode()
    ct_set_grad_mode(false)
    defer { ct_set_grad_mode(previous) }
    return try body()
}

/// Unavailable: an asynchronous closure could leave gradients switched off for other tasks.
@available(
    *,
    unavailable,
    message:
        "libtorch's gradient mode is per thread and a task may change threads at `await`; use a synchronous closure"
)
public func withoutGradient<R>(_ body: () async throws -> R) async rethrows -> R {
    try await body()
}

/// Whether operations are recorded on this thread.
public var isGradientEnabled: Bool { ct_grad_mode() }

/// Runs a closure in which matrix products and convolutions compute in a shorter type.
///
/// Weights stay in `float32`; losses and normalisations compute in `float32` as libtorch's autocast lists them. The
/// mode belongs to the thread, so the closure is synchronous.
///
/// - Parameters:
///   - dtype: The type to compute in, or `nil` to change nothing.
///   - device: The device whose operations are affected.
///   - body: What to run.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws; the mode is restored all the same.
public func withAutocast<R, Failure>(
    _ dtype: DType?,
    device: Device = .cpu,
    _ body: () throws(Failure) -> R
) throws(Failure) -> R {
    guard let dtype else { return try body() }
    var wasEnabled = false
    var previous: Int32 = 0
    let entered = ct_autocast_enter(device.kind, dtype.code, true, &wasEnabled, &previous) == 0
    defer { if entered { _ = ct_autocast_leave(device.kind, wasEnabled, previous) } }
    return try body()
}

/// Unavailable: an asynchronous closure could leave autocast switched on for other tasks.
@available(
    *,
    unavailable,
    message:
        "libtorch's autocast is per thread and a task may change threads at `await`; use a synchronous closure"
)
public func withAutocast<R>(
    _ dtype: DType?,
    device: Device = .cpu,
    _ body: () async throws -> R
) async rethrows -> R {
    try await body()
}

/// Whether autocast is on for a device, on this thread.
public func isAutocastEnabled(on device: Device) -> Bool { ct_autocast_enabled(device.kind) }

/// The type that autocast computes in on a device, on this thread; `nil` where it is off.
public func autocastDType(on device: Device) -> DType? {
    DType(code: ct_autocast_dtype(device.kind))
}
