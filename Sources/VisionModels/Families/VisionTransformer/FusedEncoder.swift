import Foundation
public import Torch
public import TorchNN

/// The blocks and the last normalisation of a ``VisionTransformer`` as one function (`PackedEncoder`), in evaluation
/// without gradients on the CPU.
///
/// The weights are packed on first use and again when one changes, which libtorch's version counter tells. Whatever the
/// function does not serve gets `nil` and computes layer by layer: training, gradients, dropout, 8 bits, other kinds of
/// blocks, types without kernels. Threads may share it.
final class FusedEncoder: @unchecked Sendable {
    private struct Entry {
        let encoder: PackedEncoder
        let dtype: DType
        /// What was packed: a tensor that took another's place counts as a change.
        let weights: [(parameter: Parameter, tensor: Tensor, version: Int?)]
        /// Whether the layers have let go of their weights.
        let isOnlyCopy: Bool

        var isCurrent: Bool {
            isOnlyCopy
                || weights.allSatisfy {
                    $0.parameter.tensor === $0.tensor && $0.tensor.version == $0.version
                }
        }
    }

    /// The modules that decide whether the function serves a network, which stay the same for its whole life.
    private struct Parts {
        let modules: [Module]
        let linears: [Linear]

        init(_ blocks: [Block]) {
            modules = blocks.flatMap { block in [block] + block.namedModules().map(\.module) }
            linears = modules.compactMap { $0 as? Linear }
        }

        var arePlain: Bool {
            modules.allSatisfy { !$0.isTraining } && linears.allSatisfy(\.isPlain)
        }
    }

    private let lock = NSLock()
    private var entry: Entry?
    private var parts: Parts?

    /// Returns the normalised tokens after the last blocks, or `nil` where this is not for the call.
    ///
    /// - Parameters:
    ///   - tokens: The tokens that enter the first block, `[batch, tokens, embedDim]`.
    ///   - network: The network, always the same one.
    ///   - wanted: How many tokens at the beginning are wanted; `nil` for all.
    ///   - lastBlocks: After how many of the last blocks.
    /// - Returns: `[batch, wanted, embedDim]` of `float32` for each of these blocks, the last one's at the end.
    /// - Throws: `TorchError` for a lack of memory.
    func callAsFunction(
        _ tokens: Tensor,
        of network: VisionTransformer,
        wanted: Int? = nil,
        lastBlocks: Int = 1
    ) throws(TorchError) -> [Tensor]? {
        guard !network.isTraining else {
            lock.withLock { if entry?.isOnlyCopy == false { entry = nil } }
            return nil
        }
        guard !isGradientEnabled, tokens.device == .cpu, tokens.dtype == .float32,
            tokens.elementCount > 0,
            let encoder = try encoder(for: network, dtype: autocastDType(on: .cpu) ?? .float32)
        else { return nil }
        let found = try encoder(tokens, wanted: wanted, lastBlocks: lastBlocks)
        var blocks: [Tensor] = []
        for index in 0..<lastBlocks { blocks.append(try found.selected(0, index)) }
        return blocks
    }

    /// Packs the network's blocks and lets their linear layers go of their weights, if this is for the network under the
    /// policy in force.
    ///
    /// - Parameters:
    ///   - network: The network, always the same one.
    ///   - dtype: The type of matrix products.
    /// - Throws: `TorchError` for a lack of memory.
    func keepOnlyPacked(_ network: VisionTransformer, dtype: DType) throws(TorchError) {
        lock.lock()
        defer { lock.unlock() }
        guard entry?.isOnlyCopy != true, let blocks = served(network, dtype: dtype) else { return }
        entry = nil
        entry = try packed(network, blocks, dtype: dtype, isOnlyCopy: true)
    }

    private func encoder(
        for network: VisionTransformer,
        dtype: DType
    ) throws(TorchError) -> PackedEncoder? {
        lock.lock()
        defer { lock.unlock() }
        if let entry, entry.isOnlyCopy { return entry.encoder }
        guard let blocks = served(network, dtype: dtype) else { return nil }
        if let entry, entry.dtype == dtype, entry.isCurrent { return entry.encoder }
        entry = nil
        let made = try packed(network, blocks, dtype: dtype, isOnlyCopy: false)
        entry = made
        return made?.encoder
    }

    /// The network's blocks, if all of it is what the function computes.
    private func served(_ network: VisionTransformer, dtype: DType) -> [Block]? {
        let configuration = network.configuration
        guard ComputePolicy.current.encoder == .fused, configuration.rotaryTemperature == nil,
            PackedEncoder.kernels(dtype) != nil,
            PackedEncoder.serves(width: configuration.embedDim),
            configuration.blockType == .preNorm,
            !configuration.qkNorm,
            configuration.mlpLayer == .swiglu || configuration.activation == .gelu
        else { return nil }
        let blocks = network.blocks.compactMap { $0 as? Block }
        guard !blocks.isEmpty, blocks.count == network.blocks.count else { return nil }
        let parts = parts ?? Parts(blocks)
        self.parts = parts
        return parts.arePlain ? blocks : nil
    }

    // Nil where a tensor is not float32 on the CPU, or libtorch counts no changes of it.
    private func packed(
        _ network: VisionTransformer,
        _ blocks: [Block],
        dtype: DType,
        isOnlyCopy: Bool
    ) throws(TorchError) -> Entry? {
        let parameters =
            blocks.flatMap { $0.namedParameters().map(\.parameter) }
            + (network.norm?.namedParameters().map(\.parameter) ?? [])
        let weights = parameters.map { ($0, $0.tensor, $0.tensor.version) }
        guard
            weights.allSatisfy({ $0.1.device == .cpu && $0.1.dtype == .float32 && $0.2 != nil })
        else { return nil }
        let configuration = network.configuration
        let encoder = try PackedEncoder(
            width: configuration.embedDim,
            heads: configuration.numHeads,
            eps: configuration.layerNormEps,
            isGated: configuration.mlpLayer == .swiglu,
            dtype: dtype
        )
        for block in blocks {
            try encoder.add(block.parts)
            guard isOnlyCopy else { continue }
            for linear in [block.attn.qkv, block.attn.proj, block.mlp.fc1, block.mlp.fc2] {
                try linear.releaseWeight()
            }
            // The next packed block does not fit where these plain weights were.
            Libtorch.giveBackFreedMemory()
        }
        if let norm = network.norm {
            try encoder.setNorm(weight: norm.weight.tensor, bias: norm.bias.tensor)
        }
        return Entry(
            encoder: encoder,
            dtype: dtype,
            weights: isOnlyCopy ? [] : weights,
            isOnlyCopy: isOnlyCopy
        )
    }
}

extension VisionTransformer: InferencePacking {
    /// Packs the blocks as one function and lets go of their weights, where the policy in force has it so.
    ///
    /// - Parameter dtype: The type of matrix products.
    /// - Throws: `TorchError` for a lack of memory.
    public func packLayersForInference(dtype: DType) throws(TorchError) {
        try fused.keepOnlyPacked(self, dtype: dtype)
    }
}
