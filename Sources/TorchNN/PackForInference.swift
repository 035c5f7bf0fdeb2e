public import Torch

extension Module {
    /// Keeps the weights of linear layers only in the order and type in which they are multiplied, which takes the memory
    /// of one copy instead of two, half of that in `bfloat16`.
    ///
    /// For a model that is only asked from now on, under the compute policy in force: training it, recording gradients
    /// or saving it is an error afterwards, and a type other than the policy's has no effect on these layers. It does
    /// nothing where the policy's linear layers are not oneDNN's, and leaves out layers in 8 bits. No pass may
    /// be under way.
    ///
    /// - Parameter rows: How many rows an input of a linear layer will have, about; images × tokens.
    /// - Throws: `TorchError` for a lack of memory; the model is usable all the same.
    public func packForInference(rows: Int = 788) throws(TorchError) {
        let policy = ComputePolicy.current
        guard policy.linear == .oneDNN, policy.device == .cpu,
            policy.dtype == .float32 || policy.dtype == .bfloat16
        else { return }
        eval()
        for (_, module) in namedModules() {
            guard let linear = module as? Linear else { continue }
            try linear.keepOnlyPacked(dtype: policy.dtype, rows: rows)
            // The next packed weight does not fit where this plain one was.
            Libtorch.giveBackFreedMemory()
        }
    }
}
