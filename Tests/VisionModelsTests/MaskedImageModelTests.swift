import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

@Suite("Masked image models", .tags(.unit))
@ModelActor
struct MaskedImageModelTests {
    static func configuration(isDistilled: Bool = true) -> ViTConfiguration {
        ViTConfiguration(
            imageHeight: 12,
            imageWidth: 8,
            patchSize: 4,
            embedDim: 8,
            depth: 1,
            numHeads: 2,
            isDistilled: isDistilled,
            layerNormEps: 1e-6
        )
    }

    @Test("The keys are the transformer's own, without a classifier, and three more")
    func keys() throws {
        var bare = Self.configuration()
        bare.numClasses = 0
        let network = try VisionTransformer.make(bare)
        let model = try MaskedImageModel(Self.configuration())
        let own = ["mask_token", "decoder.0.weight", "decoder.0.bias"]
        #expect(
            model.namedTensors().map(\.name) == network.namedTensors().map(\.name) + own
        )
        #expect(model.namedModules().contains { $0.name == "blocks.0.attn.qkv" })
        model.eval()
        #expect(model.namedModules().allSatisfy { !$0.module.isTraining })
    }

    @Test(
        "Not only squares are painted, with and without a distillation token",
        arguments: [true, false]
    )
    func shapes(isDistilled: Bool) throws {
        let model = try MaskedImageModel(
            Self.configuration(isDistilled: isDistilled),
            encoderStride: 2
        )
        let result = try model(Tensor.randn([2, 3, 12, 8]), mask: nil)
        #expect(result.reconstruction.shape == [2, 3, 6, 4])
        let large = try model(Tensor.randn([1, 3, 8, 20]), mask: nil, resampling: .hf)
        #expect(large.reconstruction.shape == [1, 3, 4, 10])
    }

    @Test("The loss counts hidden pixels only")
    func loss() throws {
        let model = try MaskedImageModel(Self.configuration())
        let images = try Tensor.zeros([1, 3, 12, 8])
        // Patch 1 is the upper right one. It is 2 off in every pixel, all else by 100.
        let column = try Tensor([0, 0, 0, 0, 1, 1, 1, 1], shape: [1, 1, 1, 8])
        let row = try Tensor([1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0], shape: [1, 1, 12, 1])
        let inside = try column * row
        let painted = try (inside * 2 + (inside - 1) * 100).expanded([1, 3, 12, 8])
        let mask = try Tensor([0, 1, 0, 0, 0, 0], shape: [1, 6])
        let loss = try model.loss(images, reconstruction: painted, mask: mask)
        expectClose([Float(try loss.item())], [2], tolerance: 1e-5)
        let nothing = try model.loss(images, reconstruction: painted, mask: Tensor.zeros([1, 6]))
        #expect(try nothing.item() == 0)
        for (shape, count) in [([1, 3, 6, 4], 6), ([1, 3, 12, 8], 5)] {
            #expect(throws: TorchError.self) {
                try model.loss(
                    images,
                    reconstruction: Tensor.zeros(shape),
                    mask: Tensor.zeros([1, count])
                )
            }
        }
    }

    @Test("A legacy slice without a distillation token and strides out of range are refused")
    func refused() {
        #expect(throws: ConfigurationError.self) {
            try MaskedImageModel(Self.configuration(isDistilled: false), slice: .legacy)
        }
        for stride in [0, -4, 4097, .max] {
            #expect(throws: ConfigurationError.self) {
                try MaskedImageModel(Self.configuration(), encoderStride: stride)
            }
        }
    }
}
