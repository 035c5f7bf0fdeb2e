import Checkpoints
import Testing
import VisionModels

@Suite struct HuggingFaceKeyMapTests {
    static let plain = [
        ("cls_token", ["vit.embeddings.cls_token"]),
        ("pos_embed", ["vit.embeddings.position_embeddings"]),
        ("patch_embed.proj.weight", ["vit.embeddings.patch_embeddings.projection.weight"]),
        ("patch_embed.proj.bias", ["vit.embeddings.patch_embeddings.projection.bias"]),
        ("blocks.0.norm1.weight", ["vit.encoder.layer.0.layernorm_before.weight"]),
        (
            "blocks.11.attn.qkv.weight",
            [
                "vit.encoder.layer.11.attention.attention.query.weight",
                "vit.encoder.layer.11.attention.attention.key.weight",
                "vit.encoder.layer.11.attention.attention.value.weight",
            ]
        ),
        ("blocks.3.attn.proj.bias", ["vit.encoder.layer.3.attention.output.dense.bias"]),
        ("blocks.3.norm2.bias", ["vit.encoder.layer.3.layernorm_after.bias"]),
        ("blocks.3.mlp.fc1.weight", ["vit.encoder.layer.3.intermediate.dense.weight"]),
        ("blocks.3.mlp.fc2.weight", ["vit.encoder.layer.3.output.dense.weight"]),
        ("norm.weight", ["vit.layernorm.weight"]),
        ("head.weight", ["classifier.weight"]),
    ]

    @Test func plainNames() {
        let map = HuggingFaceKeyMap(isDistilled: false)
        for (timm, names) in Self.plain { #expect(map.huggingFaceKeys(of: timm) == names) }
        for unknown in [
            "head_dist.weight", "blocks.0.ls1.gamma", "blocks.x.norm1.weight", "fc.weight", "",
        ] {
            #expect(map.huggingFaceKeys(of: unknown).isEmpty)
        }
    }

    @Test func distilledNames() {
        let map = HuggingFaceKeyMap(isDistilled: true)
        #expect(map.huggingFaceKeys(of: "dist_token") == ["deit.embeddings.distillation_token"])
        #expect(map.huggingFaceKeys(of: "norm.bias") == ["deit.layernorm.bias"])
        #expect(map.huggingFaceKeys(of: "head.weight") == ["cls_classifier.weight"])
        #expect(map.huggingFaceKeys(of: "head_dist.bias") == ["distillation_classifier.bias"])
    }

    @Test(arguments: [false, true]) func namesComeBack(isDistilled: Bool) {
        let map = HuggingFaceKeyMap(isDistilled: isDistilled)
        for (timm, _) in Self.plain {
            let names = map.huggingFaceKeys(of: timm)
            for (index, name) in names.enumerated() {
                let place = HuggingFaceKeyMap.place(of: name)
                #expect(place == .init(key: timm, part: names.count == 3 ? index : nil))
            }
        }
    }

    @Test func namesWithoutPrefixAndUnusedParts() {
        #expect(HuggingFaceKeyMap.place(of: "layernorm.weight")?.key == "norm.weight")
        #expect(HuggingFaceKeyMap.place(of: "encoder.layer.01.output.dense.bias") == nil)
        #expect(HuggingFaceKeyMap.place(of: "encoder.layer.-1.output.dense.bias") == nil)
        #expect(HuggingFaceKeyMap.place(of: "pooler.dense.weight")?.key == "pre_logits.fc.weight")
        #expect(HuggingFaceKeyMap.isUnused("vit.pooler.dense.weight"))
        #expect(HuggingFaceKeyMap.isUnused("deit.embeddings.mask_token"))
        #expect(!HuggingFaceKeyMap.isUnused("deit.layernorm.weight"))
    }
}
