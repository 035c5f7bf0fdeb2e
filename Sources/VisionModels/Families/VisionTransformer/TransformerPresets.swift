extension ModelRegistry {
    // DeiT's paper, table 1: the sizes differ in width and heads only. The small ones are ours.
    static let deit: [Preset] =
        deit("tiny", width: 192, heads: 3, patch: 16, sizes: [224, 384])
        + deit("small", width: 384, heads: 6, patch: 16, sizes: [224, 384])
        + deit("base", width: 768, heads: 12, patch: 16, sizes: [224, 384])
        + deit("nano", width: 64, depth: 4, heads: 2, patch: 4, sizes: [28, 32])
        + deit("nano", width: 64, depth: 4, heads: 2, patch: 7, sizes: [28])
        + deit("micro", width: 128, depth: 4, heads: 4, patch: 4, sizes: [28, 32])
        + deit("micro", width: 128, depth: 4, heads: 4, patch: 7, sizes: [28])
        + deit("micro", width: 128, depth: 4, heads: 4, patch: 8, sizes: [64])
        + deit("mini", width: 192, depth: 9, heads: 6, patch: 4, sizes: [28, 32])
        + deit("mini", width: 192, depth: 9, heads: 6, patch: 8, sizes: [64])

    // Touvron et al., "DeiT III" (arXiv:2204.07118), section 4; timm/models/deit.py. There is no medium one at 384.
    static let deit3: [Preset] =
        deit3("small", Shape(width: 384, heads: 6), sizes: [224, 384])
        + deit3("medium", Shape(width: 512, heads: 8), sizes: [224])
        + deit3("base", Shape(width: 768, heads: 12), sizes: [224, 384])
        + deit3("large", Shape(width: 1024, depth: 24, heads: 16), sizes: [224, 384])
        + deit3("huge", Shape(width: 1280, depth: 32, heads: 16, patch: 14), sizes: [224])

    // Dosovitskiy et al. (arXiv:2010.11929), table 1, and timm's smaller sizes; timm/models/vision_transformer.py.
    static let vit: [Preset] =
        vit("tiny", Shape(width: 192, heads: 3))
        + vit("small", Shape(width: 384, heads: 6))
        + vit("base", Shape(width: 768, heads: 12))
        + vit("large", Shape(width: 1024, depth: 24, heads: 16))

    // Caron et al., "DINO" (arXiv:2104.14294), section 4, by timm's names: its backbones are ViTs without a classifier.
    static let dino: [Preset] = [16, 8].flatMap { patch in
        [("small", 384, 6), ("base", 768, 12)].map { size, width, heads in
            Shape(width: width, heads: heads, patch: patch).preset(
                "vit_\(size)_patch\(patch)_224.dino",
                pixels: 224
            ) { $0.numClasses = 0 }
        }
    }

    private struct Shape {
        var width: Int
        var depth = 12
        var heads: Int
        var patch = 16

        func preset(
            _ name: String,
            pixels: Int,
            _ change: (inout ViTConfiguration) -> Void = { _ in }
        ) -> Preset {
            var configuration = ViTConfiguration(
                imageHeight: pixels,
                imageWidth: pixels,
                patchSize: patch,
                embedDim: width,
                depth: depth,
                numHeads: heads,
                layerNormEps: 1e-6
            )
            change(&configuration)
            return Preset(name: name, configuration: .visionTransformer(configuration))
        }
    }

    private static func deit(
        _ size: String,
        width: Int,
        depth: Int = 12,
        heads: Int,
        patch: Int,
        sizes: [Int]
    ) -> [Preset] {
        let shape = Shape(width: width, depth: depth, heads: heads, patch: patch)
        return sizes.flatMap { pixels in
            [false, true].map { isDistilled in
                shape.preset(
                    "deit_\(size)\(isDistilled ? "_distilled" : "")_patch\(patch)_\(pixels)",
                    pixels: pixels
                ) { $0.isDistilled = isDistilled }
            }
        }
    }

    private static func deit3(_ size: String, _ shape: Shape, sizes: [Int]) -> [Preset] {
        sizes.map { pixels in
            shape.preset("deit3_\(size)_patch\(shape.patch)_\(pixels)", pixels: pixels) {
                $0.initValues = 1e-6
                $0.noEmbedClass = true
            }
        }
    }

    private static func vit(_ size: String, _ shape: Shape) -> [Preset] {
        [224, 384].map { shape.preset("vit_\(size)_patch\(shape.patch)_\($0)", pixels: $0) }
    }
}
