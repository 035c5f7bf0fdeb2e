import Testing
import VisionModels

struct PublishedWeightsTests {
    @Test func everyEntryBelongsToAPreset() throws {
        let names = Set(ModelRegistry.presets.map(\.name))
        #expect(PublishedWeights.presets.count > 20)
        for name in PublishedWeights.presets {
            #expect(names.contains(name), "\(name)")
            let weights = try #require(PublishedWeights(of: name))
            #expect(weights.source.split(separator: "/").count == 2, "\(weights.source)")
            if let top1 = weights.top1 { #expect((50...100).contains(top1)) }
        }
        #expect(PublishedWeights(of: "deit_micro_patch4_28") == nil)
    }

    /// The eight of DeiT's README.
    @Test func publishedAccuracies() {
        let known = PublishedWeights.presets.filter { PublishedWeights(of: $0)?.top1 != nil }
        #expect(known.count == 8)
        #expect(PublishedWeights(of: "deit_base_distilled_patch16_384")?.top1 == 85.224)
        #expect(PublishedWeights(of: "deit_tiny_patch16_224")?.top1 == 72.202)
    }
}
