import Torch
import TorchNN

extension Block {
    /// Returns the tokens after the block by the one function `FusedBlock`, where gradients are wanted and the function
    /// serves the block under the policy in force.
    ///
    /// - Parameter x: The tokens that enter the block, `[batch, tokens, embedDim]`.
    /// - Returns: The same shape; `nil` where the layers compute it.
    /// - Throws: `TorchError` for a lack of memory.
    func fused(_ x: Tensor) throws(TorchError) -> Tensor? {
        guard ComputePolicy.current.blocks == .fused, isGradientEnabled, isPlain,
            FusedBlock.serves(x),
            FusedBlock.kernels(autocastDType(on: .cpu) ?? .float32) != nil
        else { return nil }
        // Drawn in the order in which the layers draw.
        let attentionFactors = try dropPath.factors(for: x)
        let feedForwardFactors = try dropPath.factors(for: x)
        return try FusedBlock.apply(
            x,
            parts(),
            heads: attn.numHeads,
            eps: norm1.eps,
            attentionFactors: attentionFactors,
            feedForwardFactors: feedForwardFactors
        )
    }

    /// Whether the block is what the function computes: no dropout, no normalised queries, no fixed part of a bias, a GELU,
    /// weights in `float32`.
    private var isPlain: Bool {
        attn.qNorm == nil && attn.kNorm == nil && attn.trainsKeyBias && mlp.isPlainGELU
            && ![attn.attnDrop, attn.projDrop, mlp.drop].contains(where: \.isActive)
            && [attn.qkv, attn.proj, mlp.fc1, mlp.fc2].allSatisfy(\.isTrainable)
            && namedParameters().allSatisfy {
                $0.parameter.tensor.dtype == .float32 && $0.parameter.tensor.device == .cpu
            }
    }

    /// The block's tensors for functions that compute it as a whole.
    func parts() throws(TorchError) -> PackedEncoder.Block {
        func tensors(_ norm: LayerNorm) -> (weight: Tensor, bias: Tensor) {
            (norm.weight.tensor, norm.bias.tensor)
        }
        func tensors(_ linear: Linear) -> (weight: Tensor, bias: Tensor?) {
            (linear.weight.tensor, linear.bias?.tensor)
        }
        return PackedEncoder.Block(
            norm1: tensors(norm1),
            qkv: tensors(attn.qkv),
            proj: tensors(attn.proj),
            scale1: ls1?.gamma.tensor,
            norm2: tensors(norm2),
            fc1: tensors(mlp.fc1),
            fc2: tensors(mlp.fc2),
            scale2: ls2?.gamma.tensor,
            qNorm: attn.qNorm.map(tensors),
            kNorm: attn.kNorm.map(tensors),
            steps: try steps()
        )
    }

    /// What the weights are made of, where all are in 8 bits.
    private func steps() throws(TorchError) -> PackedEncoder.Steps? {
        func steps(_ linear: Linear) throws(TorchError) -> Tensor? {
            guard let scale = linear.quantization?.weightScale else { return nil }
            return try Tensor(scale, shape: [scale.count])
        }
        guard let qkv = try steps(attn.qkv), let proj = try steps(attn.proj),
            let fc1 = try steps(mlp.fc1), let fc2 = try steps(mlp.fc2)
        else { return nil }
        return PackedEncoder.Steps(qkv: qkv, proj: proj, fc1: fc1, fc2: fc2)
    }
}
