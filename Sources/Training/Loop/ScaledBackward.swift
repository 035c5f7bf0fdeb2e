import Torch
import TorchNN

extension ComputePolicy {
    /// What keeps gradients in the range of the policy's type; nil where that is as wide as that of `float32`.
    func makeScaler() throws(TorchError) -> GradientScaler? {
        dtype == .float16 ? try GradientScaler(on: device) : nil
    }
}

extension Tensor {
    /// Computes the gradients of this number, times the scale where there is a scaler.
    func backward(scaledBy scaler: GradientScaler?) throws(TorchError) {
        guard let scaler else { return try backward() }
        try scaler.scaled(self).backward()
    }
}

extension GradientScaler {
    /// The state under the names of a checkpoint.
    func checkpointState() -> [(name: String, tensor: Tensor)] {
        namedState().map { (Self.checkpointPrefix + $0.name, $0.tensor) }
    }

    /// What the names of a scaler's state begin with in a checkpoint.
    ///
    /// A run that goes on with a type that needs no scaler leaves that state out.
    static let checkpointPrefix = "scaler."
}
