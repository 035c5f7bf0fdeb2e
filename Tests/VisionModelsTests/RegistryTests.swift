import TestSupport
import Testing
import Torch
import TorchNN
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
            ("regnety_120", 12.14), ("regnety_160", 15.96), ("vit_base_patch16_clip_224", 17.58),
            ("vit_giant_patch14_reg4_dinov2", 1790.08), ("vit_so400m_patch14_siglip_378", 335.4),
            ("vit_pwee_patch16_reg1_gap_256", 4.37), ("vit_base_patch16_rpn_224", 17.49),
            ("vit_so150m2_patch16_reg1_gap_256", 37.0),
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

    @Test("timm's tag may be given, and tells the classes; DINO's makes a backbone")
    func tags() throws {
        let plain = try ModelRegistry.configuration(named: "deit3_small_patch16_224")
        #expect(try ModelRegistry.configuration(named: "deit3_small_patch16_224.fb_in1k") == plain)
        let vit = try ModelRegistry.configuration(named: "vit_small_patch16_224")
        let dino = try ModelRegistry.configuration(named: "vit_small_patch16_224.dino")
        #expect(vit.numClasses == 1000 && dino.numClasses == 0)
        let large = try ModelRegistry.configuration(named: "vit_small_patch16_224.augreg_in21k")
        #expect(large.numClasses == 21_843 && large.isSameNetwork(as: vit))
        #expect(
            ModelRegistry.preset(named: "") == nil && ModelRegistry.preset(named: ".dino") == nil
        )
        #expect(ModelRegistry.preset(named: "deit3_medium_patch16_384") == nil)
        #expect(ModelRegistry.preset(named: "vit_small_patch16_224.augreg_in21") == nil)
        #expect(ModelRegistry.preset(named: "resnet50.any_tag") != nil)
    }

    @Test("A wrong name is told with the nearest right one")
    func wrongNames() throws {
        let error = #expect(throws: ConfigurationError.self) {
            try ModelRegistry.configuration(named: "vit_small_patch14_dinov2.lvd142")
        }
        #expect(error?.description.contains("vit_small_patch14_dinov2.lvd142m") == true)
        #expect(ModelRegistry.advice("nothing alike").contains("deit models"))
    }

    @Test("An outline has the names and shapes of the network, and no memory")
    func outline() throws {
        let configuration = try ModelRegistry.configuration(named: "deit_nano_patch4_28")
        let (outline, model) = (
            try configuration.makeOutline(), try configuration.makeModel()
        )
        func shapes(_ model: any ImageClassifier) -> [String] {
            model.namedTensors().map { "\($0.name) \($0.tensor.shape)" }
        }
        #expect(shapes(outline) == shapes(model))
        #expect(outline.parameterCount == model.parameterCount)
        // Ten times the memory of any machine.
        var vit = ViTConfiguration(embedDim: 98_304, depth: 4, numHeads: 16, layerNormEps: 1e-6)
        vit.numClasses = 1_000_000
        #expect(
            try ModelConfiguration.visionTransformer(vit).makeOutline().parameterCount
                > 500_000_000_000
        )
    }

    @Test(
        "Of all sizes that a patch does not divide one is timm's, and its network leaves the rest out"
    )
    @ModelActor func sizesThatPatchesDoNotDivide() throws {
        var vit = try #require(
            try ModelRegistry.configuration(named: "vit_so400m_patch14_siglip_gap_384").transformer
        )
        #expect(vit.imageHeight == 384 && vit.grid == PatchGrid(height: 27, width: 27))
        vit.imageHeight = 385
        #expect(throws: ConfigurationError.self) { try vit.validate() }
        vit = ViTConfiguration(
            imageHeight: 384,
            imageWidth: 384,
            patchSize: 14,
            embedDim: 16,
            depth: 1,
            numHeads: 2,
            layerNormEps: 1e-6
        )
        let model = try VisionTransformer.make(vit)
        model.eval()
        let images = try Tensor.zeros([1, 3, 384, 384])
        try images.fillUniform(low: -1, high: 1)
        let whole = try withoutGradient { try model(images) }
        try images.narrowed(2, 378..<384).fill(0)
        try images.narrowed(3, 378..<384).fill(0)
        #expect(try withoutGradient { try model(images).floats() } == whole.floats())
        try images.narrowed(3, 377..<378).fill(0)
        #expect(try withoutGradient { try model(images).floats() } != whole.floats())
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
