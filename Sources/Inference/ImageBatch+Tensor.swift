package import Datasets
package import Torch

extension ImageBatch {
    /// The images as one tensor, `[count, channels, height, width]` of `float32` on the CPU.
    package func tensor() throws(TorchError) -> Tensor {
        try withUnsafeBytes { bytes throws(TorchError) in
            try Tensor(bytes: bytes, dtype: .float32, shape: shape)
        }
    }
}
