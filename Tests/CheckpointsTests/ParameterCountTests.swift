import Checkpoints
import Testing
import Torch
import TorchNN
import VisionModels

@ModelActor @Suite struct ParameterCountTests {
    @Test(arguments: [
        ("deit_tiny_patch16_224", 5_717_416), ("deit_small_patch16_224", 22_050_664),
        ("deit_base_patch16_224", 86_567_656), ("deit_tiny_distilled_patch16_224", 5_910_800),
        ("deit_small_distilled_patch16_224", 22_436_432),
        ("deit_base_distilled_patch16_224", 87_338_192),
        ("deit_base_patch16_384", 86_859_496), ("deit_base_distilled_patch16_384", 87_630_032),
        ("resnet18", 11_689_512), ("resnet34", 21_797_672), ("resnet50", 25_557_032),
    ])
    func publishedCounts(name: String, count: Int) throws {
        #expect(try ModelRegistry.configuration(named: name).parameterCount == count)
    }

    @Test func countsAreThoseOfTheNetworks() throws {
        for preset in ModelRegistry.presets where preset.configuration.parameterCount < 12_000_000 {
            var configuration = preset.configuration
            configuration.numClasses = 7
            configuration.inChannels = 1
            let model = try configuration.makeModel()
            // The keys' rows of a bias that the network does not have are zeros that no training changes.
            let vit = configuration.transformer
            let zeros = vit.map { $0.keyBias ? 0 : $0.depth * $0.embedDim } ?? 0
            #expect(model.parameterCount - zeros == configuration.parameterCount, "\(preset.name)")
        }
    }
}
