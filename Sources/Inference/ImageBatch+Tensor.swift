package import Datasets
package import Torch
import TorchNN

// The only place where a batch becomes tensors, and where they get their device.
extension ImageBatch {
    /// The images as one tensor, `[count, channels, height, width]` of `float32`.
    ///
    /// - Parameter device: The device; nil for that of the current policy.
    /// - Returns: The tensor.
    /// - Throws: `TorchError` for a lack of memory.
    package func tensor(on device: Device? = nil) throws(TorchError) -> Tensor {
        let device = device ?? ComputePolicy.current.device
        if let staged = try stagedTensor(on: device) { return staged }
        return try withUnsafeBytes { bytes throws(TorchError) in
            try Tensor(bytes: bytes, dtype: .float32, shape: shape)
        }.to(device)
    }

    /// The labels, `[count]` of `int64`, on the device of the current policy.
    package func labelTensor() throws(TorchError) -> Tensor {
        try Tensor(labels.map(Int64.init), shape: [count]).to(ComputePolicy.current.device)
    }

    /// What each image shows, `[count, classes]`, of a batch whose images are mixed or may have several labels; nil of others.
    package func targetTensor() throws(TorchError) -> Tensor? {
        guard let targets, count > 0 else { return nil }
        return try Tensor(targets, shape: [count, targets.count / count])
            .to(ComputePolicy.current.device)
    }
}
