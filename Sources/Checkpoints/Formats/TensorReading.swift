import Storage
import Torch

/// The way of every archive from bytes in a file to a tensor.
enum TensorReading {
    /// Makes a tensor and fills it.
    ///
    /// - Parameters:
    ///   - tensor: The description of the tensor.
    ///   - path: The file, for errors.
    ///   - fill: A closure that writes all bytes of the tensor, contiguous and little-endian.
    /// - Returns: The tensor, on the CPU.
    /// - Throws: ``CheckpointError`` of `fill`, and where tensors do not have the element type.
    static func read(
        _ tensor: ArchivedTensor,
        path: String,
        fill: (UnsafeMutableRawBufferPointer) throws(CheckpointError) -> Void
    ) throws(CheckpointError) -> Tensor {
        guard let dtype = DType(tensor.dtype) else { throw unsupported(tensor, path: path) }
        let result: Tensor
        do throws(TorchError) {
            result = try Tensor(unwritten: tensor.shape, dtype: dtype)
        } catch {
            throw CheckpointError.tensor(name: tensor.name, reason: "\(error)")
        }
        guard try result.withMutableBytes(fill) != nil else {
            throw CheckpointError.tensor(name: tensor.name, reason: "its memory cannot be reached")
        }
        return result
    }

    /// Fills a tensor that exists: straight into its memory where that has the form of the file's bytes.
    static func copy(
        _ tensor: ArchivedTensor,
        into target: Tensor,
        path: String,
        fill: (UnsafeMutableRawBufferPointer) throws(CheckpointError) -> Void
    ) throws(CheckpointError) {
        guard target.shape == tensor.shape else {
            throw CheckpointError.tensor(
                name: tensor.name,
                reason: "has the shape \(tensor.shape) in \(path); expected \(target.shape)"
            )
        }
        guard let dtype = DType(tensor.dtype) else { throw unsupported(tensor, path: path) }
        if dtype == target.dtype, try target.withMutableBytes(fill) != nil { return }
        let value = try read(tensor, path: path, fill: fill)
        do throws(TorchError) {
            try target.copy(from: value)
        } catch {
            throw CheckpointError.tensor(name: tensor.name, reason: "\(error)")
        }
    }

    private static func unsupported(_ tensor: ArchivedTensor, path: String) -> CheckpointError {
        .unsupported(
            file: path,
            reason: "tensor \(tensor.name) has the element type \(tensor.dtype.rawValue), "
                + "which is not supported"
        )
    }
}
