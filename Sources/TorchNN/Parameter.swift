public import Torch

/// A tensor that is trained.
///
/// Optimisers and loaders write into it in place, so that everybody who holds the parameter sees the new values.
public final class Parameter {
    /// The values; after `Module.packForInference()` those of linear layers can only be multiplied with.
    public internal(set) var tensor: Tensor

    /// Creates a parameter that requires gradients.
    ///
    /// - Parameter tensor: The first values, of a floating-point type.
    /// - Throws: `TorchError` when the type has no gradients.
    public init(_ tensor: Tensor) throws(TorchError) {
        self.tensor = tensor
        try tensor.setRequiresGradient(true)
    }

    /// Whether gradients are recorded for it; a frozen parameter has none.
    public var requiresGradient: Bool { tensor.requiresGradient }

    func move(to device: Device) throws(TorchError) {
        guard tensor.device != device else { return }
        try replace(with: tensor.detached().to(device))
    }

    func useChannelsLast() throws(TorchError) {
        try replace(with: tensor.detached().channelsLast())
    }

    private func replace(with other: Tensor) throws(TorchError) {
        try other.setRequiresGradient(requiresGradient)
        tensor = other
    }
}

/// A tensor that belongs to a module's state and is not trained, such as a running mean.
public final class Buffer {
    /// The values.
    public private(set) var tensor: Tensor

    /// Creates a buffer.
    ///
    /// - Parameter tensor: The first values.
    public init(_ tensor: Tensor) {
        self.tensor = tensor
    }

    func move(to device: Device) throws(TorchError) {
        if tensor.device != device { tensor = try tensor.to(device) }
    }
}
