import TestSupport
import Testing
import VisionModels

@Suite("Models by name", .tags(.unit))
struct RegistryTests {
    // Requirements B2, and timm's results tables (GMACs) for the other families.
    @Test(
        "Multiply-accumulates are within 1 % of the published ones",
        arguments: [
            ("deit_tiny_patch16_224", 1.26), ("deit_small_patch16_224", 4.61),
            ("deit_base_patch16_224", 17.58), ("deit_tiny_distilled_patch16_224", 1.27),
            ("deit_small_distilled_patch16_224", 4.63), ("deit_base_distilled_patch16_224", 17.68),
            ("deit_base_patch16_384", 55.54), ("deit_base_distilled_patch16_384", 55.65),
            ("deit3_large_patch16_384", 191.21), ("deit3_huge_patch14_224", 167.4),
            ("vit_small_patch8_224.dino", 22.4), ("resnet18", 1.82), ("resnet34", 3.67),
            ("resnet50", 4.11), ("resnet101", 7.83), ("regnety_040", 4.00), ("regnety_080", 8.00),
            ("regnety_120", 12.14), ("regnety_160", 15.96),
        ]
    )
    func macs(name: String, published: Double) throws {
        let found = Double(try ModelRegistry.configuration(named: name).macs) / 1e9
        // Two published decimals are half a hundredth off by themselves.
        #expect(abs(found - published) <= 0.01 * published, "\(name): \(found)")
    }

    // Counted on timm's networks, whose published figures have normalisations too: 4 % of networks this small.
    @Test(
        "Multiply-accumulates of EfficientNet-Lite are exact",
        arguments: [
            ("tf_efficientnet_lite0", 385_187_552), ("tf_efficientnet_lite1", 600_185_232),
            ("tf_efficientnet_lite2", 859_736_272), ("efficientnet_lite2", 859_736_272),
        ]
    )
    func exactMACs(name: String, count: Int) throws {
        #expect(try ModelRegistry.configuration(named: name).macs == count)
    }

    @Test("A CIFAR network has the paper's 41 million, plus its 1×1 shortcuts")
    func cifar() throws {
        let macs = try ModelRegistry.configuration(named: "resnet20_cifar").macs
        #expect((40_000_000...42_000_000).contains(macs), "\(macs)")
    }

    @Test("Names are unique and can be made")
    func names() throws {
        let names = ModelRegistry.presets.map(\.name)
        #expect(Set(names).count == names.count)
        for preset in ModelRegistry.presets {
            #expect(throws: Never.self) { try preset.configuration.validate() }
            #expect(preset.configuration.macs > 0 && preset.configuration.macs < .max)
        }
    }

    @Test("timm's tag may be given; DINO's makes a backbone")
    func tags() throws {
        let plain = try ModelRegistry.configuration(named: "deit3_small_patch16_224")
        #expect(try ModelRegistry.configuration(named: "deit3_small_patch16_224.fb_in1k") == plain)
        let vit = try ModelRegistry.configuration(named: "vit_small_patch16_224")
        let dino = try ModelRegistry.configuration(named: "vit_small_patch16_224.dino")
        #expect(vit.numClasses == 1000 && dino.numClasses == 0)
        #expect(
            ModelRegistry.preset(named: "") == nil && ModelRegistry.preset(named: ".dino") == nil
        )
        #expect(ModelRegistry.preset(named: "deit3_medium_patch16_384") == nil)
    }

    @Test("Counts of absurd networks do not trap")
    func absurd() {
        var vit = ViTConfiguration(layerNormEps: 1e-6)
        (vit.embedDim, vit.depth, vit.imageHeight, vit.imageWidth) = (
            1_000_000, 1_000_000, 960_000, 960_000
        )
        vit.numHeads = 1
        #expect(ModelConfiguration.visionTransformer(vit).macs == .max)
    }
}
