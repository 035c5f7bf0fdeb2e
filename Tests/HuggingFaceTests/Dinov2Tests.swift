import Checkpoints
import Foundation
import HuggingFace
import ImagePipeline
import Storage
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// What DINOv2's classes have of their own.
@ModelActor
@Suite(.tags(.unit)) struct Dinov2Tests {
    private func config<Family>(_ registers: Int = 0) -> PretrainedConfig<Family> {
        PretrainedConfig(
            hiddenSize: 12,
            numHiddenLayers: 2,
            numAttentionHeads: 3,
            intermediateSize: 24,
            imageSize: 12,
            patchSize: 4,
            numRegisterTokens: registers
        )
    }

    @Test func defaultsAreHuggingFaces() throws {
        let plain = Dinov2Config()
        #expect(plain.layerNormEps == 1e-6 && plain.patchSize == 14 && plain.mlpRatio == 4)
        #expect(plain.layerscaleValue == 1 && !plain.useSwigluFFN && plain.useMaskToken)
        #expect(plain.modelType == "dinov2")
        let registers = Dinov2WithRegistersConfig()
        #expect(registers.patchSize == 16 && registers.numRegisterTokens == 4)
        #expect(registers.modelType == "dinov2_with_registers")
        #expect(try Dinov2Config(json: [:]) == plain)
    }

    @Test(arguments: ["Dinov2Model-odd", "Dinov2ForImageClassification-swiglu"])
    func writesTransformersFileBack(name: String) async throws {
        let config = try await Dinov2Config.fromPretrained(Fixtures.path(name))
        #expect(
            JSONValue.object(config.json).text() + "\n"
                == (try Fixtures.text("\(name)/config.json"))
        )
        #expect(config.useSwigluFFN == name.hasSuffix("swiglu"))
    }

    @Test func theWidthOfGatedLayersIsRoundedUp() throws {
        var config = Dinov2Config()
        config.useSwigluFFN = true
        config.hiddenSize = 1536
        config.numAttentionHeads = 24
        // ViT-g: gate and value of 4096 each.
        #expect(try config.network(numClasses: 0).mlpDim == 8192)
        config.hiddenSize = 20
        config.numAttentionHeads = 2
        let network = try config.network(numClasses: 3)
        #expect(network.mlpDim == 112 && network.mlpLayer == .swiglu)
        #expect(network.globalPool == .tokenAvg && network.headWidth == 40)
        #expect(try Dinov2Config(network).mlpRatio == 4)
    }

    @Test(arguments: Cases.dinov2Classes, Cases.dinov2Configurations)
    func savedAsItWasLoaded(className: String, configuration: String) async throws {
        let name = "\(className)-\(configuration)"
        let model = try await Classes.load(name)
        try withTemporaryFolder { root in
            let folder = root.appending(path: "saved").path
            try model.savePretrained(to: folder)
            let before = try Safetensors.read(Fixtures.path("\(name)/model.safetensors"))
            let after = try Safetensors.read("\(folder)/model.safetensors")
            #expect(Set(before.keys) == Set(after.keys))
            for (key, tensor) in before {
                #expect(tensor.shape == after[key]?.shape, "\(key)")
                #expect(try tensor.floats() == after[key]?.floats(), "\(key)")
            }
        }
    }

    @Test(arguments: Cases.dinov2Classes, Cases.dinov2Configurations)
    func modelDirectoriesReadThem(className: String, configuration: String) throws {
        let name = "\(className)-\(configuration)"
        let path = try Fixtures.path(name)
        // Its images are no multiples of the patch, which only the classes take.
        let expected = try Fixtures.tensors("\(name)/outputs.safetensors")
        let loaded = try ModelDirectory.load(path, options: LoadOptions(relaxations: .noHead))
        let network = try #require(loaded.model as? VisionTransformer)
        let images = try expected.tensor("images")
        let found = try withoutGradient {
            className.hasSuffix("Model")
                ? try network.forwardFeatures(images) : try network(images)
        }
        let output = className.hasSuffix("Model") ? "last_hidden_state" : "logits"
        // The fixtures of the base models have masked patches.
        guard !className.hasSuffix("Model") else {
            #expect(try found.shape == expected.shape(output))
            return
        }
        expectClose(
            shape: found.shape,
            try found.floats(),
            expectedShape: try expected.shape(output),
            try expected.floats(output),
            tolerance: 1e-5,
            name
        )
    }

    @Test func aFreshModelIsDrawnAsTransformersDrawsIt() throws {
        try manualSeed(3)
        let model = try Dinov2WithRegistersModel(config(2))
        for (name, tensor) in try model.stateDict() {
            let values = try tensor.floats()
            switch name {
            case "embeddings.mask_token", "embeddings.register_tokens":
                #expect(values.allSatisfy { $0 == 0 }, "\(name)")
            case "embeddings.position_embeddings":
                #expect(tensor.shape == [1, 10, 12])
                #expect(values.prefix(12).contains { $0 != 0 })
            default: break
            }
            if name.hasSuffix("lambda1") { #expect(values.allSatisfy { $0 == 1 }, "\(name)") }
        }
        let output = try model(pixelValues: Tensor.randn([1, 3, 12, 12]))
        #expect(output.lastHiddenState.shape == [1, 12, 12])
        #expect(
            try output.poolerOutput?.floats() == output.lastHiddenState.selected(1, 0).floats()
        )
    }

    @Test func imagesOfAnySize() throws {
        let model = try Dinov2Model(config())
        #expect(
            try model(pixelValues: Tensor.randn([1, 3, 8, 20])).lastHiddenState.shape == [
                1, 11, 12,
            ]
        )
        #expect(throws: PretrainedError.self) {
            try model(pixelValues: Tensor.randn([1, 3, 3, 20]))
        }
    }

    @Test func aMaskNeedsAToken() throws {
        var config: Dinov2Config = config()
        config.useMaskToken = false
        let mask = try Tensor.zeros([1, 9])
        let images = try Tensor.randn([1, 3, 12, 12])
        let without = try Dinov2Model(config)
        #expect(throws: PretrainedError.self) {
            try without(pixelValues: images, boolMaskedPos: mask)
        }
        #expect(try !without.stateDict().contains { $0.name.contains("mask_token") })
        let vit = try ViTModel(self.config())
        #expect(throws: PretrainedError.self) { try vit(pixelValues: images, boolMaskedPos: mask) }
    }

    @Test func registersAndNoneAreToldApart() async throws {
        let registers = try Fixtures.path("Dinov2WithRegistersModel-odd")
        let plain = try Fixtures.path("Dinov2Model-odd")
        let type = await #expect(throws: CheckpointError.self) {
            _ = try await Dinov2Model.fromPretrained(registers)
        }
        #expect(type?.description.contains("dinov2_with_registers") == true)
        let config = try await Dinov2Config.fromPretrained(plain)
        let extra = await #expect(throws: CheckpointError.self) {
            _ = try await Dinov2Model.fromPretrained(registers, config: config)
        }
        #expect(extra?.description.contains("use the Dinov2WithRegisters classes") == true)
        let other = try await Dinov2WithRegistersConfig.fromPretrained(registers)
        let missing = await #expect(throws: CheckpointError.self) {
            _ = try await Dinov2WithRegistersModel.fromPretrained(plain, config: other)
        }
        #expect(missing?.description.contains("use the Dinov2 classes") == true)
    }

    /// facebook/dinov2-base has positions for 518 pixels and a processor that crops to 224.
    @Test func aProcessorForOtherImagesThanThePositions() async throws {
        try await withTemporaryFolder { root in
            let folder = root.appending(path: "model").path
            try manualSeed(5)
            let model = try Dinov2WithRegistersForImageClassification(config(2))
            model.eval()
            try model.savePretrained(to: folder)
            var processor = BitImageProcessor()
            processor.size = .shortestEdge(22)
            processor.cropSize = 20
            try processor.savePretrained(to: folder)
            let loaded = try ModelDirectory.load(folder)
            #expect(loaded.description.configuration.imageSize == (20, 20))
            #expect(loaded.description.processor.cropHeight == 20)
            #expect(loaded.report.resampling?.variant == .hf)
            let images = try Tensor.randn([2, 3, 20, 20])
            let (found, expected) = try withoutGradient {
                (
                    try loaded.model(images).floats(),
                    try model(pixelValues: images).logits.floats()
                )
            }
            expectClose(found, expected, tolerance: 1e-5)
            // Written again it has its positions, and the processor as it was.
            let again = root.appending(path: "again").path
            _ = try Conversion.run(
                folder,
                loading: LoadOptions(),
                to: again,
                saving: SaveOptions(form: .huggingFace(nil))
            )
            let (before, after) = (
                try Safetensors.read("\(folder)/model.safetensors"),
                try Safetensors.read("\(again)/model.safetensors")
            )
            for (key, tensor) in before {
                #expect(try tensor.floats() == after[key]?.floats(), "\(key)")
            }
            #expect(try await BitImageProcessor.fromPretrained(again).cropSize == 20)
            let options = LoadOptions(
                imageSize: .init(height: 24, width: 24),
                positionResampling: .hf
            )
            let larger = try ModelDirectory.load(folder, options: options)
            #expect(larger.description.processor.cropHeight == 24)
            #expect(larger.description.processor.resize == .shortestSide(26))
        }
    }
}
