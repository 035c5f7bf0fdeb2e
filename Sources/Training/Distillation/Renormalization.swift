public import ImagePipeline
public import Torch
import TorchNN

/// Turns pixels normalised for one model into pixels normalised for another.
///
/// With `x = (p - m)/s` for the one and `y = (p - m')/s'` for the other, `y = x · s/s' + (m - m')/s'`.
public struct Renormalization {
    private let scale: Tensor
    private let shift: Tensor

    /// Creates the change for pixels on the device of the current policy, or nil where both models normalise alike.
    ///
    /// - Parameters:
    ///   - source: How the pixels are normalised.
    ///   - target: How they should be; the same number of channels.
    /// - Throws: `TorchError` for a lack of memory.
    public init?(from source: ImageProcessor, to target: ImageProcessor) throws(TorchError) {
        guard source.mean != target.mean || source.std != target.std else { return nil }
        var scales: [Float] = []
        var shifts: [Float] = []
        for channel in 0..<min(source.channels, target.channels) {
            scales.append(source.std[channel] / target.std[channel])
            shifts.append((source.mean[channel] - target.mean[channel]) / target.std[channel])
        }
        let device = ComputePolicy.current.device
        scale = try Tensor(scales, shape: [1, scales.count, 1, 1]).to(device)
        shift = try Tensor(shifts, shape: [1, shifts.count, 1, 1]).to(device)
    }

    /// Changes pixels `[batch, channels, height, width]`.
    public func callAsFunction(_ pixels: Tensor) throws(TorchError) -> Tensor {
        try pixels * scale + shift
    }
}
