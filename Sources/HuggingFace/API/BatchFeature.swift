public import Torch

/// What an image processor makes of images: the numbers that a model reads.
///
/// It is a value that may cross tasks; the tensor is made where the model runs.
public struct BatchFeature: Sendable, Equatable {
    /// The numbers, `[batch, channels, height, width]` in row-major order.
    public let values: [Float]

    /// The size of every dimension.
    public let shape: [Int]

    /// The numbers as a tensor.
    ///
    /// - Returns: `[batch, channels, height, width]`, `float32`.
    /// - Throws: `TorchError` for a lack of memory.
    public func pixelValues() throws(TorchError) -> Tensor { try Tensor(values, shape: shape) }
}
