public import Torch

/// A module that can keep the weights of layers inside it in a form of its own, for inference.
public protocol InferencePacking: Module {
    /// Packs the weights of layers inside and lets go of them, where it has a form for them under the policy in force.
    /// Those layers then compute nothing by themselves.
    ///
    /// - Parameter dtype: The type of matrix products, `float32` or `bfloat16`.
    /// - Throws: `TorchError` for a lack of memory.
    func packLayersForInference(dtype: DType) throws(TorchError)
}

extension Module {
    /// Keeps the weights of linear layers only in the order and type in which they are multiplied, which takes the memory
    /// of one copy instead of two, half of that in `bfloat16`.
    ///
    /// For a model that is only asked from now on, under the current compute policy: training it, recording gradients
    /// or saving it is an error afterwards, and a type other than the policy's has no effect on these layers. Where the
    /// policy's encoder is the fused one, the blocks of a transformer are packed as a whole, and its layers, attention's
    /// weights and hidden states cannot be computed any more. Other linear layers are left as they are where the policy's
    /// are not oneDNN's. No pass may be under way.
    ///
    /// - Parameter rows: How many rows an input of a linear layer will have, about; images × tokens.
    /// - Throws: `TorchError` for a lack of memory; the model is usable all the same.
    public func packForInference(rows: Int = 788) throws(TorchError) {
        let policy = ComputePolicy.current
        guard policy.device == .cpu, policy.dtype == .float32 || policy.dtype == .bfloat16 else {
            return
        }
        eval()
        let modules = [("", self)] + namedModules()
        for (_, module) in modules {
            try (module as? any InferencePacking)?.packLayersForInference(dtype: policy.dtype)
        }
        guard policy.linear == .oneDNN else { return }
        for (_, module) in modules {
            guard let linear = module as? Linear else { continue }
            try linear.keepOnlyPacked(dtype: policy.dtype, rows: rows)
            // The next packed weight does not fit where this plain one was.
            Libtorch.giveBackFreedMemory()
        }
    }
}
