import Foundation
public import Torch
public import TorchNN

/// The blocks and the last normalisation of a ``VisionTransformer`` as one function (`PackedEncoder`), in evaluation
/// without gradients on the CPU.
///
/// The weights are packed on first use and again when one changes, which libtorch's version counter tells. Where all
/// linear layers of the blocks are in 8 bits, they compute so if the processor has kernels for it, whatever type is asked
/// for. Whatever the function does not serve gets `nil` and computes layer by layer: training, gradients, dropout, other
/// kinds of blocks, types without kernels. Threads may share it.
final class FusedEncoder: @unchecked Sendable {
    private struct Entry {
        let encoder: PackedEncoder
        let dtype: DType
        /// What was packed: a tensor that took another's place counts as a change.
        let weights: [(parameter: Parameter, tensor: Tensor, version: Int?)]
        /// What linear layers in 8 bits were made of.
        let quantizations: [LinearQuantization?]
        /// Whether the layers have let go of their weights.
        let isOnlyCopy: Bool

        func isCurrent(_ parts: Parts) -> Bool {
            quantizations == parts.linears.map(\.quantization)
                && weights.allSatisfy {
                    $0.parameter.tensor === $0.tensor && $0.tensor.version == $0.version
                }
        }
    }

    /// The modules that decide whether the function serves a network, which stay the same for its whole life.
    private struct Parts {
        let blocks: [Block]
        let modules: [Module]
        let linears: [Linear]

        init(_ blocks: [Block]) {
            self.blocks = blocks
            modules = blocks.flatMap { block in [block] + block.namedModules().map(\.module) }
            linears = modules.compactMap { $0 as? Linear }
        }

        var areEvaluated: Bool { modules.allSatisfy { !$0.isTraining } }
    }

    private let lock = NSLock()
    private var entry: Entry?
    private var parts: Parts?

    /// Returns the normalised tokens after the last blocks, or `nil` where this is not for the call.
    ///
    /// - Parameters:
    ///   - tokens: The tokens that enter the first block, `[batch, tokens, embedDim]`.
    ///   - network: The network, always the same one.
    ///   - rotary: The rotary positions of the patches, if the network has such.
    ///   - wanted: How many tokens at the beginning are wanted; `nil` for all.
    ///   - lastBlocks: After how many of the last blocks.
    /// - Returns: `[batch, wanted, embedDim]` of `float32` for each of these blocks, the last one's at the end.
    /// - Throws: `TorchError` for a lack of memory.
    func callAsFunction(
        _ tokens: Tensor,
        of network: VisionTransformer,
        rotary: RotaryPositions?,
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
        let found = try encoder(
            tokens,
            rotary: rotary?.angles,
            wanted: wanted,
            lastBlocks: lastBlocks
        )
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
        guard entry?.isOnlyCopy != true, let served = served(network, dtype: dtype) else { return }
        entry = nil
        entry = try packed(network, served.parts, dtype: served.dtype, isOnlyCopy: true)
    }

    /// The type in which the function computes a network's linear layers; nil where it does not serve the network.
    ///
    /// - Parameters:
    ///   - network: The network, always the same one.
    ///   - dtype: The type of matrix products.
    /// - Returns: `dtype`, or `int8` for a network in 8 bits.
    func dtype(of network: VisionTransformer, dtype: DType) -> DType? {
        lock.withLock {
            entry.flatMap { $0.isOnlyCopy ? $0.dtype : nil } ?? served(network, dtype: dtype)?.dtype
        }
    }

    private func encoder(
        for network: VisionTransformer,
        dtype: DType
    ) throws(TorchError) -> PackedEncoder? {
        lock.lock()
        defer { lock.unlock() }
        if let entry, entry.isOnlyCopy { return entry.encoder }
        guard let (parts, dtype) = served(network, dtype: dtype) else { return nil }
        if let entry, entry.dtype == dtype, entry.isCurrent(parts) { return entry.encoder }
        entry = nil
        let made = try packed(network, parts, dtype: dtype, isOnlyCopy: false)
        entry = made
        return made?.encoder
    }

    /// The network's blocks, if all of it is what the function computes, and the type of their linear layers.
    private func served(
        _ network: VisionTransformer,
        dtype: DType
    ) -> (parts: Parts, dtype: DType)? {
        let configuration = network.configuration
        let headWidth = configuration.embedDim / max(configuration.numHeads, 1)
        guard ComputePolicy.current.encoder == .fused,
            PackedEncoder.kernels(dtype) != nil,
            PackedEncoder.serves(width: configuration.embedDim),
            configuration.blockType == .preNorm,
            !configuration.qkNorm || headWidth % 16 == 0,
            configuration.rotaryTemperature == nil || headWidth % 32 == 0
        else { return nil }
        if parts == nil {
            let blocks = network.blocks.compactMap { $0 as? Block }
            guard !blocks.isEmpty, blocks.count == network.blocks.count else { return nil }
            parts = Parts(blocks)
        }
        guard let parts, parts.areEvaluated else { return nil }
        let isInt8 =
            PackedEncoder.kernels(.int8) != nil
            && parts.linears.allSatisfy { $0.quantization != nil }
        return (parts, isInt8 ? .int8 : dtype)
    }

    // Nil where a tensor is not float32 on the CPU, or libtorch counts no changes of it.
    private func packed(
        _ network: VisionTransformer,
        _ parts: Parts,
        dtype: DType,
        isOnlyCopy: Bool
    ) throws(TorchError) -> Entry? {
        let parameters =
            parts.blocks.flatMap { $0.namedParameters().map(\.parameter) }
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
            activation: configuration.encoderActivation,
            normalizesHeads: configuration.qkNorm,
            dtype: dtype
        )
        for block in parts.blocks {
            try encoder.add(block.parts())
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
            quantizations: isOnlyCopy ? [] : parts.linears.map(\.quantization),
            isOnlyCopy: isOnlyCopy
        )
    }
}

extension ViTConfiguration {
    fileprivate var encoderActivation: PackedEncoder.Activation {
        guard mlpLayer != .swiglu else { return .swiglu }
        return switch activation {
        case .gelu: .gelu
        case .geluTanh: .geluTanh
        case .quickGELU: .quickGELU
        }
    }
}

extension VisionTransformer {
    /// Whether the blocks' linear layers compute in 8 bits, in evaluation without gradients and under the policy in force:
    /// they are in 8 bits (`Linear.quantization`), and the fused encoder serves the network and has kernels for it.
    public var computesInt8: Bool { fused.dtype(of: self, dtype: .float32) == .int8 }
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
