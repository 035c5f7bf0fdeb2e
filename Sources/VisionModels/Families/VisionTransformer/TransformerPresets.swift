/// The transformers that can be made by name: sizes, what each variant changes, and which there are of it.
///
/// The number of classes is that of the weights that timm takes for a name without a tag, see ``PublishedTransformers``.
///
/// ## Source
/// timm/models/vision_transformer.py and deit.py, by timm's names.
enum TransformerPresets {
    /// All of them; of networks with the same numbers the plainest first.
    static let all: [ModelRegistry.Preset] =
        deit + deit3.flatMap(\.presets) + vit.flatMap(\.presets)

    /// The networks by name.
    static let configurations: [String: ModelConfiguration] = Dictionary(
        uniqueKeysWithValues: all.map { ($0.name, $0.configuration) }
    )

    // MARK: Sizes

    /// The width of a token, the blocks, the heads, and the width of the feed-forward layers over that of a token.
    private struct Size: Sendable {
        let width: Int
        var depth = 12
        let heads: Int
        var mlpRatio = 4.0
    }

    private static let sizes: [String: Size] = [
        // Touvron et al., "DeiT" (arXiv:2012.12877), table 1; Dosovitskiy et al., "ViT" (arXiv:2010.11929), table 1.
        "tiny": Size(width: 192, heads: 3),
        "small": Size(width: 384, heads: 6),
        "base": Size(width: 768, heads: 12),
        "large": Size(width: 1024, depth: 24, heads: 16),
        "huge": Size(width: 1280, depth: 32, heads: 16),
        // Zhai et al., "Scaling vision transformers" (arXiv:2106.04560), table 2.
        "giant": Size(width: 1408, depth: 40, heads: 16, mlpRatio: 48.0 / 11),
        "gigantic": Size(width: 1664, depth: 48, heads: 16, mlpRatio: 64.0 / 13),
        // Alabdulmohsin et al., "Getting ViT in shape" (arXiv:2305.13035): "shape-optimised".
        "so150m": Size(width: 896, depth: 18, heads: 14, mlpRatio: 2.572),
        "so150m2": Size(width: 832, depth: 21, heads: 13, mlpRatio: 34.0 / 13),
        "so400m": Size(width: 1152, depth: 27, heads: 16, mlpRatio: 3.7362),
        "giantopt": Size(width: 1536, depth: 40, heads: 16),
        // timm's own.
        "wee": Size(width: 256, depth: 14, heads: 4, mlpRatio: 5),
        "pwee": Size(width: 256, depth: 16, heads: 4, mlpRatio: 5),
        "xsmall": Size(width: 256, depth: 10, heads: 4),
        "little": Size(width: 320, depth: 14, heads: 5, mlpRatio: 5.6),
        "medium": Size(width: 512, heads: 8),
        "mediumd": Size(width: 512, depth: 20, heads: 8),
        "betwixt": Size(width: 640, heads: 10),
        "base_plus": Size(width: 896, heads: 14),
        // Oquab et al., "DINOv2" (arXiv:2304.07193): with SwiGLU layers, where the variant says so.
        "giant_dinov2": Size(width: 1536, depth: 40, heads: 24, mlpRatio: 5.33334),
        "giant_radio": Size(width: 1536, depth: 40, heads: 24),
        // Siméoni et al., "DINOv3" (arXiv:2508.10104), with SwiGLU layers, whose gate and value double the ratio.
        "huge_plus": Size(width: 1280, depth: 32, heads: 20),
        "7b": Size(width: 4096, depth: 40, heads: 32, mlpRatio: 2),
        // Chen et al., "InternVL" (arXiv:2312.14238): a student of InternViT-6B.
        "intern300m": Size(width: 1024, depth: 24, heads: 16),
        // Ours, for images of 28 to 64 pixels.
        "nano": Size(width: 64, depth: 4, heads: 2),
        "micro": Size(width: 128, depth: 4, heads: 4),
        "mini": Size(width: 192, depth: 9, heads: 6),
    ]

    // MARK: Variants

    /// Networks that differ from the plain one in the same way.
    private struct Variant: Sendable {
        /// What the name begins with.
        var first = "vit"

        /// What the name says between the patch and the pixels; empty for the plain network.
        let name: String

        /// The heading of the list of `deit models`.
        let family: String

        /// Whether the name says the pixels, as it does where they are not the same for all.
        var saysPixels = true

        /// What the name says after them.
        var suffix = ""

        let members: [Member]
        var change: @Sendable (inout ViTConfiguration) -> Void = { _ in }

        var presets: [ModelRegistry.Preset] {
            members.flatMap { member in
                member.pixels.map { pixels in
                    let parts = [
                        first, member.size, "patch\(member.patch)", name,
                        saysPixels ? "\(pixels)" : "", suffix,
                    ]
                    let name = parts.filter { !$0.isEmpty }.joined(separator: "_")
                    return preset(name, family, member, pixels: pixels, change)
                }
            }
        }
    }

    /// A size of a variant.
    private struct Member: Sendable {
        let size: String
        let patch: Int
        let pixels: [Int]

        /// The entry of `sizes`, where it is not the name's.
        let dimensions: String

        init(_ size: String, patch: Int, _ pixels: Int..., as dimensions: String? = nil) {
            (self.size, self.patch, self.pixels) = (size, patch, pixels)
            self.dimensions = dimensions ?? size
        }
    }

    private static func preset(
        _ name: String,
        _ family: String,
        _ member: Member,
        pixels: Int,
        _ change: (inout ViTConfiguration) -> Void
    ) -> ModelRegistry.Preset {
        let size = sizes[member.dimensions] ?? Size(width: 192, heads: 3)
        var configuration = ViTConfiguration(
            imageHeight: pixels,
            imageWidth: pixels,
            patchSize: member.patch,
            numClasses: PublishedTransformers.weights(of: name).first?.numClasses ?? 1000,
            embedDim: size.width,
            depth: size.depth,
            numHeads: size.heads,
            mlpRatio: size.mlpRatio,
            layerNormEps: 1e-6
        )
        change(&configuration)
        return ModelRegistry.Preset(
            name: name,
            family: family,
            configuration: .visionTransformer(configuration)
        )
    }

    // MARK: DeiT

    private static let deit: [ModelRegistry.Preset] = [
        Member("tiny", patch: 16, 224, 384),
        Member("small", patch: 16, 224, 384),
        Member("base", patch: 16, 224, 384),
        Member("nano", patch: 4, 28, 32),
        Member("nano", patch: 7, 28),
        Member("micro", patch: 4, 28, 32),
        Member("micro", patch: 7, 28),
        Member("micro", patch: 8, 64),
        Member("mini", patch: 4, 28, 32),
        Member("mini", patch: 8, 64),
    ].flatMap { member in
        member.pixels.flatMap { pixels in
            [false, true].map { isDistilled in
                let size = isDistilled ? "\(member.size)_distilled" : member.size
                let name = "deit_\(size)_patch\(member.patch)_\(pixels)"
                return preset(name, "deit", member, pixels: pixels) {
                    $0.isDistilled = isDistilled
                }
            }
        }
    }

    // Touvron et al., "DeiT III" (arXiv:2204.07118), section 4.
    private static let deit3: [Variant] = [
        Variant(
            first: "deit3",
            name: "",
            family: "deit3",
            members: [
                Member("small", patch: 16, 224, 384),
                Member("medium", patch: 16, 224),
                Member("base", patch: 16, 224, 384),
                Member("large", patch: 16, 224, 384),
                Member("huge", patch: 14, 224),
            ]
        ) {
            $0.initValues = 1e-6
            $0.noEmbedClass = true
        }
    ]

    // MARK: ViT

    private static let vit: [Variant] =
        plain + clip + dinov2 + dinov3 + lingbot + averaged + registers + sigLIP + foundation

    private static let plain: [Variant] = [
        Variant(
            name: "",
            family: "vit",
            members: [
                Member("tiny", patch: 16, 224, 384),
                Member("small", patch: 16, 224, 384),
                Member("small", patch: 8, 224),
                Member("small", patch: 32, 224, 384),
                Member("base", patch: 16, 224, 384),
                Member("base", patch: 8, 224),
                Member("base", patch: 32, 224, 384),
                Member("large", patch: 16, 224, 384),
                Member("large", patch: 14, 224),
                Member("large", patch: 32, 224, 384),
                Member("huge", patch: 14, 224),
                Member("giant", patch: 14, 224),
                Member("gigantic", patch: 14, 224),
            ]
        ),
        // Ridnik et al., "ImageNet-21K pretraining for the masses" (arXiv:2104.10972).
        Variant(
            name: "",
            family: "vit",
            suffix: "miil",
            members: [Member("base", patch: 16, 224)]
        ) { $0.qkvBias = false },
        Variant(
            name: "plus",
            family: "vit",
            members: [
                Member("base", patch: 16, 240, as: "base_plus"),
                Member("base", patch: 32, 256, as: "base_plus"),
            ]
        ) { $0.initValues = 1e-5 },
        // Touvron et al., "Three things everyone should know about ViT" (arXiv:2203.09795).
        Variant(name: "36x1", family: "vit", members: [Member("small", patch: 16, 224)]) {
            $0.depth = 36
            $0.initValues = 1e-5
        },
    ]

    // Radford et al. (arXiv:2103.00020); OpenCLIP, DataComp, DFN and MetaCLIP trained the same networks.
    private static let clip: [Variant] = [
        Variant(
            name: "clip",
            family: "clip",
            members: [
                Member("xsmall", patch: 16, 224),
                Member("medium", patch: 16, 224),
                Member("medium", patch: 32, 224),
                Member("betwixt", patch: 32, 224),
                Member("base", patch: 16, 224, 384),
                Member("base", patch: 32, 224, 256, 384, 448),
                Member("large", patch: 14, 224, 336),
                Member("huge", patch: 14, 224, 336, 378),
                Member("giant", patch: 14, 224),
                Member("gigantic", patch: 14, 224, 378),
            ],
            change: isCLIP
        ),
        Variant(
            name: "plus_clip",
            family: "clip",
            members: [Member("base", patch: 16, 240, as: "base_plus")],
            change: isCLIP
        ),
        Variant(
            name: "clip_quickgelu",
            family: "clip",
            members: [
                Member("base", patch: 16, 224),
                Member("base", patch: 32, 224),
                Member("large", patch: 14, 224, 336),
                Member("huge", patch: 14, 224, 378),
                Member("gigantic", patch: 14, 224),
            ]
        ) {
            isCLIP(&$0)
            $0.activation = .quickGELU
        },
    ]

    private static func isCLIP(_ vit: inout ViTConfiguration) {
        vit.preNorm = true
        vit.layerNormEps = 1e-5
    }

    // Oquab et al. (arXiv:2304.07193); with registers Darcet et al. (arXiv:2309.16588).
    private static let dinov2: [Variant] = [false, true].map { hasRegisters in
        Variant(
            name: hasRegisters ? "reg4_dinov2" : "dinov2",
            family: "dinov2",
            saysPixels: false,
            members: [
                Member("small", patch: 14, 518),
                Member("base", patch: 14, 518),
                Member("large", patch: 14, 518),
                Member("giant", patch: 14, 518, as: "giant_dinov2"),
            ]
        ) {
            $0.initValues = 1e-5
            if $0.embedDim == 1536 { $0.mlpLayer = .swiglu }
            if hasRegisters {
                $0.regTokens = 4
                $0.noEmbedClass = true
            }
        }
    }

    // Siméoni et al. (arXiv:2508.10104); timm/models/eva.py, which takes the mean of the patches.
    // The published weights have biases of queries, keys and values, most of them zeros and the keys' always: `qkvb` has
    // those of queries and values.
    private static let dinov3: [Variant] = [false, true].flatMap { hasBias in
        [false, true].map { isGated in
            Variant(
                name: hasBias ? "dinov3_qkvb" : "dinov3",
                family: "dinov3",
                saysPixels: false,
                members: dinov3Sizes(hasBias: hasBias, isGated: isGated)
            ) {
                makeRotary(&$0, hasBias: hasBias)
                $0.globalPool = .avg
                guard isGated else { return }
                $0.mlpLayer = .swiglu
                $0.mlpRatio *= 2
            }
        }
    }

    private static func makeRotary(_ vit: inout ViTConfiguration, hasBias: Bool) {
        vit.rotaryTemperature = 100
        vit.regTokens = 4
        vit.initValues = 1e-5
        (vit.qkvBias, vit.keyBias) = (hasBias, !hasBias)
        vit.layerNormEps = 1e-5
    }

    private static func dinov3Sizes(hasBias: Bool, isGated: Bool) -> [Member] {
        let plain = ["small", "base", "large"].map { Member($0, patch: 16, 256) }
        let gated = [
            Member("small_plus", patch: 16, 256, as: "small"), Member("huge_plus", patch: 16, 256),
        ]
        switch (hasBias, isGated) {
        case (false, false): return plain
        case (true, false): return [Member("tiny", patch: 16, 256)] + plain
        case (false, true): return gated + [Member("7b", patch: 16, 256)]
        case (true, true): return gated
        }
    }

    // Fu et al., "LingBot-Vision" (arXiv:2607.05247): DINOv3's network, read at the class token.
    private static let lingbot: [Variant] = [
        Variant(
            name: "lingbot",
            family: "lingbot",
            saysPixels: false,
            members: ["small", "base", "large"].map { Member($0, patch: 16, 512) }
        ) {
            makeRotary(&$0, hasBias: true)
        },
        Variant(
            name: "lingbot",
            family: "lingbot",
            saysPixels: false,
            members: [Member("giant", patch: 16, 512, as: "giant_dinov2")]
        ) {
            makeRotary(&$0, hasBias: false)
            $0.mlpLayer = .swiglu
        },
    ]

    // The mean of the patches is classified.
    private static let averaged: [Variant] = [
        Variant(
            name: "gap",
            family: "vit_gap",
            members: [
                Member("medium", patch: 16, 240, 256, 384), Member("betwixt", patch: 16, 256),
            ]
        ) {
            isAveraged(&$0, fcNorm: false)
            $0.qkvBias = false
            $0.initValues = 1e-6
        },
        // Assran et al., "I-JEPA" (arXiv:2301.08243).
        Variant(
            name: "gap",
            family: "vit_gap",
            members: [
                Member("huge", patch: 14, 224),
                Member("huge", patch: 16, 448),
                Member("giant", patch: 16, 224),
            ]
        ) { isAveraged(&$0, fcNorm: false) },
        Variant(name: "rpn", family: "vit_gap", members: [Member("base", patch: 16, 224)]) {
            isAveraged(&$0)
            $0.blockType = .resPost
            $0.qkvBias = false
            $0.initValues = 1e-5
        },
    ]

    // Register tokens in the class token's place, and the mean of the patches.
    private static let registers: [Variant] =
        [1, 4].map { count in
            Variant(
                name: "reg\(count)_gap",
                family: "vit_reg",
                members: count == 1
                    ? [
                        Member("wee", patch: 16, 256),
                        Member("pwee", patch: 16, 256),
                        Member("little", patch: 16, 256),
                        Member("medium", patch: 16, 256),
                        Member("betwixt", patch: 16, 256),
                    ]
                    : [
                        Member("little", patch: 16, 256),
                        Member("medium", patch: 16, 256),
                        Member("mediumd", patch: 16, 256, 384),
                        Member("betwixt", patch: 16, 256, 384),
                        Member("base", patch: 16, 256),
                    ]
            ) {
                isAveraged(&$0)
                $0.regTokens = count
                $0.noEmbedClass = true
                // timm's `vit_base_patch16_reg4_gap_256` has no layer scale.
                if $0.embedDim < 768 { $0.initValues = 1e-5 }
                if $0.depth == 16 { $0.blockType = .parallelScaling }
            }
        } + [
            Variant(
                name: "reg4_gap",
                family: "vit_reg",
                members: [Member("so150m", patch: 16, 256, 384)]
            ) {
                isAveraged(&$0, fcNorm: false)
                $0.regTokens = 4
            },
            Variant(
                name: "reg4_map",
                family: "vit_reg",
                members: [Member("so150m", patch: 16, 256)]
            ) {
                isMapped(&$0)
                $0.regTokens = 4
            },
            Variant(
                name: "reg1_gap",
                family: "vit_reg",
                members: [Member("so150m2", patch: 16, 256, 384, 448)]
            ) {
                isAveraged(&$0)
                $0.regTokens = 1
                $0.initValues = 1e-5
                $0.qkvBias = false
            },
        ]

    private static func isAveraged(_ vit: inout ViTConfiguration, fcNorm: Bool = true) {
        vit.classToken = false
        vit.globalPool = .avg
        vit.fcNorm = fcNorm
    }

    private static func isMapped(_ vit: inout ViTConfiguration) {
        vit.classToken = false
        vit.globalPool = .map
    }

    // Zhai et al. (arXiv:2303.15343), and Tschannen et al., "SigLIP 2" (arXiv:2502.14786), whose new networks have the
    // approximate GELU; with `gap` the tower alone, without its attention pooling.
    private static let sigLIP: [Variant] = [false, true].flatMap { isAveraged in
        let name = isAveraged ? "siglip_gap" : "siglip"
        let change: @Sendable (inout ViTConfiguration) -> Void = {
            isAveraged ? Self.isAveraged(&$0, fcNorm: false) : isMapped(&$0)
        }
        return [
            Variant(
                name: name,
                family: "siglip",
                members: [
                    Member("base", patch: 16, 224, 256, 384, 512),
                    Member("large", patch: 16, 256, 384),
                    isAveraged
                        ? Member("so400m", patch: 14, 224, 378, 384, 448, 896)
                        : Member("so400m", patch: 14, 224, 378, 384),
                ],
                change: change
            ),
            Variant(
                name: name,
                family: "siglip",
                members: [
                    Member("base", patch: 32, 256),
                    Member("large", patch: 16, 512),
                    Member("so400m", patch: 16, 256, 384, 512),
                    Member("giantopt", patch: 16, 256, 384),
                ]
            ) {
                change(&$0)
                $0.activation = .geluTanh
            },
        ]
    }

    private static let foundation: [Variant] = [
        // "TIPSv2" (arXiv:2604.12012).
        Variant(
            name: "reg1_tipsv2",
            family: "tipsv2",
            saysPixels: false,
            members: [
                Member("base", patch: 14, 448),
                Member("large", patch: 14, 448),
                Member("so400m", patch: 14, 448),
                Member("giant", patch: 14, 448, as: "giant_dinov2"),
            ]
        ) {
            $0.initValues = 1
            $0.regTokens = 1
            $0.noEmbedClass = true
            if $0.embedDim == 1536 { $0.mlpLayer = .swiglu }
        },
        // NVIDIA's C-RADIO: Heinrich et al., "RADIOv2.5" (arXiv:2412.07679), and version 4 (arXiv:2601.17237).
        Variant(
            name: "radio_v3",
            family: "radio",
            saysPixels: false,
            members: [
                Member("base", patch: 16, 512),
                Member("large", patch: 16, 512),
                Member("huge", patch: 16, 512),
                Member("giant", patch: 16, 512, as: "giant_radio"),
            ]
        ) {
            isRADIO(&$0, registers: 7)
            if $0.embedDim <= 1024 { $0.initValues = 1e-5 }
        },
        Variant(
            name: "radio_v4",
            family: "radio",
            saysPixels: false,
            members: [Member("so400m", patch: 16, 512), Member("huge", patch: 16, 512)]
        ) { isRADIO(&$0, registers: 9) },
        Variant(
            name: "",
            family: "internvit",
            members: [Member("intern300m", patch: 14, 448)]
        ) {
            $0.initValues = 0.1
            $0.finalNorm = false
        },
        // Last, as weights are taken for the first preset that they fit: no weights are published with 16 heads.
        Variant(name: "gap", family: "vit_gap", members: [Member("base", patch: 16, 224)]) {
            isAveraged(&$0, fcNorm: false)
            $0.numHeads = 16
        },
    ]

    private static func isRADIO(_ vit: inout ViTConfiguration, registers: Int) {
        vit.regTokens = registers
        vit.noEmbedClass = true
        vit.finalNorm = false
    }
}
