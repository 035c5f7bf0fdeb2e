/// Which vision transformers the classes of transformers can hold.
///
/// ## Source
/// transformers 5.23: `modeling_vit.py`, `modeling_deit.py`, `modeling_dinov2.py`, `modeling_dinov2_with_registers.py`,
/// `modeling_dinov3_vit.py`.
package enum TransformerInHuggingFace {
    /// Whether a network has DINOv2's blocks, with layer scale, rather than ViT's and DeiT's.
    package static func isDINOv2(_ vit: ViTConfiguration) -> Bool {
        vit.initValues != nil && !isDINOv3(vit)
    }

    /// Whether a network has DINOv3's rotary positions.
    package static func isDINOv3(_ vit: ViTConfiguration) -> Bool { vit.rotaryTemperature != nil }

    /// Why transformers has no class for a network; nil where it has one.
    ///
    /// - Parameter vit: The network.
    /// - Returns: A clause about what the classes do not have.
    package static func refusal(of vit: ViTConfiguration) -> String? {
        if isDINOv3(vit) {
            if let reason = rotaryRefusal(of: vit) { return reason }
            if vit.numClasses > 0 { return "it has no class of DINOv3 with a classifier" }
            return [.token, .avg].contains(vit.globalPool)
                ? nil
                : "its DINOv3ViTModel gives the class token, not the pooling \(vit.globalPool)"
        }
        guard isDINOv2(vit) else { return plainRefusal(of: vit) }
        if vit.isDistilled { return "its networks with layer scale have no distillation token" }
        if let reason = layersRefusal(of: vit) { return reason }
        if vit.numClasses == 0 {
            return vit.globalPool == .token || vit.globalPool == .tokenAvg
                ? nil : "its Dinov2Model gives the class token, not the pooling \(vit.globalPool)"
        }
        guard vit.globalPool == .tokenAvg else {
            return
                "its Dinov2ForImageClassification reads the class token and the mean of the patches, "
                + "this classifier the pooling \(vit.globalPool)"
        }
        return vit.headBlocks == 1
            ? nil
            : "its Dinov2ForImageClassification reads the last block, this classifier the last \(vit.headBlocks)"
    }

    /// Why DINOv2's layers are not those of a network; nil where they are.
    package static func layersRefusal(of vit: ViTConfiguration) -> String? {
        guard vit.classToken, vit.rotaryTemperature == nil else {
            return "its networks have a class token and learnt positions"
        }
        guard vit.initValues != nil else { return "its networks have layer scale" }
        guard vit.noEmbedClass == (vit.regTokens > 0) else {
            return vit.regTokens > 0
                ? "its registers have no positions"
                : "its networks with layer scale have a position of the class token, unlike DeiT-III"
        }
        guard vit.finalNorm, !vit.fcNorm, !vit.preNorm, !vit.qkNorm, vit.blockType == .preNorm,
            vit.activation == .gelu
        else { return "it has only plain blocks with one normalisation at the end" }
        guard mlpRatio(of: vit) != nil else {
            return
                "its hidden width is a whole multiple of the width, and for SwiGLU two thirds of that "
                + "rounded up to a multiple of 8, not \(gatedWidth(of: vit) ?? vit.mlpDim) for \(vit.embedDim)"
        }
        return nil
    }

    /// Why DINOv3's layers are not those of a network with rotary positions; nil where they are.
    package static func rotaryRefusal(of vit: ViTConfiguration) -> String? {
        guard vit.rotaryTemperature != nil else { return "its networks have rotary positions" }
        guard vit.classToken, !vit.isDistilled, vit.initValues != nil else {
            return
                "its networks with rotary positions have a class token and layer scale, and no distillation token"
        }
        guard vit.finalNorm, !vit.fcNorm, !vit.preNorm, !vit.qkNorm, vit.blockType == .preNorm,
            vit.activation == .gelu
        else { return "it has only plain blocks with one normalisation at the end" }
        return nil
    }

    private static func plainRefusal(of vit: ViTConfiguration) -> String? {
        guard vit.classToken, vit.regTokens == 0, vit.globalPool == .token, !vit.fcNorm,
            vit.finalNorm, !vit.preNorm, !vit.qkNorm, vit.mlpLayer == .mlp,
            vit.blockType == .preNorm, vit.activation == .gelu, vit.rotaryTemperature == nil
        else { return "it has only plain blocks with a classifier on the class token" }
        return vit.noEmbedClass ? "its class token always has a position" : nil
    }

    /// The width of the gated values of DINOv2's SwiGLU: two thirds of a plain layer's, rounded up to a multiple of 8.
    ///
    /// ## Source
    /// `modeling_dinov2.py`, `Dinov2SwiGLUFFN`; facebookresearch/dinov2, `SwiGLUFFNFused`.
    package static func gatedWidth(embedDim: Int, mlpRatio: Int) -> Int {
        (embedDim * mlpRatio * 2 / 3 + 7) / 8 * 8
    }

    private static func gatedWidth(of vit: ViTConfiguration) -> Int? {
        vit.mlpLayer == .swiglu ? vit.mlpDim / 2 : nil
    }

    /// The whole number by which DINOv2's configurations say the hidden width; nil where none gives it.
    package static func mlpRatio(of vit: ViTConfiguration) -> Int? {
        guard vit.embedDim > 0 else { return nil }
        guard let width = gatedWidth(of: vit) else {
            return vit.mlpDim % vit.embedDim == 0 ? vit.mlpDim / vit.embedDim : nil
        }
        // Of several numbers that give one width the usual 4 comes first.
        return ([4] + Array(1...64)).first {
            gatedWidth(embedDim: vit.embedDim, mlpRatio: $0) == width
        }
    }
}
