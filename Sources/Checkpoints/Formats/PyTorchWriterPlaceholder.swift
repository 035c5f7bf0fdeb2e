import Torch

enum PyTorchWriter {
    static func write(
        _ tensors: [(name: String, tensor: Tensor)],
        under: String?,
        to path: String
    ) throws(CheckpointError) {
        throw CheckpointError.unwritable(path: path, reason: "PyTorch's container is not written yet")
    }
}
