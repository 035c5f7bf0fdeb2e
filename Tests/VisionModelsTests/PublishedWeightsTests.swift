import Testing
import VisionModels

struct PublishedWeightsTests {
    @Test func everyEntryBelongsToAPreset() throws {
        #expect(PublishedWeights.presets.count > 300)
        for name in PublishedWeights.presets {
            #expect(ModelRegistry.preset(named: name)?.name == name, "\(name)")
            let weights = try #require(PublishedWeights(of: name))
            if let repository = weights.repository {
                #expect(repository.split(separator: "/").count == 2, "\(repository)")
            } else {
                #expect(weights.source.hasPrefix("https://"), "\(weights.source)")
            }
            #expect(weights.license?.isEmpty != true)
            if let top1 = weights.top1 { #expect((50...100).contains(top1)) }
        }
        #expect(PublishedWeights(of: "deit_micro_patch4_28") == nil)
    }

    /// The eight of DeiT's README, not timm's of the same networks; a name without a tag is timm's usual weights.
    @Test func publishedAccuracies() {
        let known = ModelRegistry.presets.filter {
            $0.family == "deit" && PublishedWeights(of: $0.name)?.top1 != nil
        }
        #expect(known.count == 8)
        #expect(PublishedWeights(of: "deit_base_distilled_patch16_384")?.top1 == 85.224)
        #expect(PublishedWeights(of: "deit_tiny_patch16_224")?.top1 == 72.202)
        #expect(PublishedWeights(of: "deit_tiny_patch16_224.fb_in1k")?.top1 == 72.19)
        let usual = PublishedWeights(of: "vit_base_patch16_224")
        #expect(usual?.source == "timm/vit_base_patch16_224.augreg2_in21k_ft_in1k")
    }

    @Test func anotherNameOnTheHubThanTheWeights() {
        let clip = PublishedWeights(of: "vit_base_patch16_clip_quickgelu_224.openai")
        #expect(clip?.repository == "timm/vit_base_patch16_clip_224.openai")
        let jepa = PublishedWeights(of: "vit_huge_patch14_gap_224.in1k_ijepa")
        #expect(jepa?.repository == nil && jepa?.license == "cc-by-nc-4.0")
    }
}
