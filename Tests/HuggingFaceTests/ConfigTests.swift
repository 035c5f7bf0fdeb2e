import Checkpoints
import Foundation
import HuggingFace
import Storage
import TestSupport
import Testing
import VisionModels

@Suite(.tags(.unit)) struct ConfigTests {
    @Test func defaultsAreHuggingFaces() throws {
        let config = DeiTConfig()
        #expect(config.hiddenSize == 768)
        #expect(config.numHiddenLayers == 12)
        #expect(config.numAttentionHeads == 12)
        #expect(config.intermediateSize == 3072)
        #expect(config.hiddenAct == "gelu")
        #expect(config.hiddenDropoutProb == 0)
        #expect(config.attentionProbsDropoutProb == 0)
        #expect(config.initializerRange == 0.02)
        #expect(config.layerNormEps == 1e-12)
        #expect(config.imageSize == 224)
        #expect(config.patchSize == 16)
        #expect(config.numChannels == 3)
        #expect(config.qkvBias)
        #expect(config.encoderStride == 16)
        #expect(config.poolerOutputSize == nil)
        #expect(config.poolerAct == "tanh")
        #expect(config.numLabels == 2)
        #expect(config.id2label == [0: "LABEL_0", 1: "LABEL_1"])
        #expect(config.label2id == ["LABEL_0": 0, "LABEL_1": 1])
        #expect(config.problemType == nil)
        #expect(!config.outputHiddenStates && !config.outputAttentions)
        #expect(config.modelType == "deit")
        #expect(ViTConfig().modelType == "vit")
        // An empty file means the same.
        #expect(try DeiTConfig(json: [:]) == config)
    }

    @Test(
        arguments: [
            "DeiTModel-odd", "DeiTForImageClassification-wide",
            "DeiTForImageClassificationWithTeacher-large_patch",
        ]
    )
    func writesTransformersFileBack(name: String) async throws {
        let config = try await DeiTConfig.fromPretrained(Fixtures.path(name))
        try withTemporaryFolder { folder in
            try config.savePretrained(to: folder.appending(path: "new/deep").path)
            let written = folder.appending(path: "new/deep/config.json")
            let text = try String(contentsOf: written, encoding: .utf8)
            #expect(text == (try Fixtures.text("\(name)/config.json")))
        }
    }

    @Test func whatIsMadeInCodeIsWrittenAsTransformersWritesIt() throws {
        let name = "ViTForImageClassification-rest"
        var config = ViTConfig(
            hiddenSize: 10,
            numHiddenLayers: 1,
            numAttentionHeads: 1,
            intermediateSize: 12,
            imageSize: PixelSize(height: 22, width: 29),
            patchSize: 5,
            numChannels: 2,
            encoderStride: 3,
            numLabels: 3
        )
        config.problemType = .regression
        config.architectures = ["ViTForImageClassification"]
        config.dtype = "float32"
        config.transformersVersion = "5.23.0"
        #expect(
            JSONValue.object(config.json).text() + "\n"
                == (try Fixtures.text("\(name)/config.json"))
        )
    }

    @Test func keepsWhatNobodyKnowsAndChangesOnlyWhatWasChanged() throws {
        let text = """
            {"zebra": {"b": 1, "a": [null, 1.5]}, "torch_dtype": "float16", "image_size": [224, 224],
            "hidden_size": 192, "is_encoder_decoder": false, "layer_norm_eps": 1e-06, "num_labels": 7}
            """
        var config = try DeiTConfig(json: object(text))
        #expect(JSONValue.object(config.json) == .object(try object(text)))
        #expect(config.unknownFields.keys == ["zebra", "is_encoder_decoder"])
        #expect(config.dtype == "float16")
        #expect(config.numLabels == 7)
        #expect(config.poolerOutputSize == nil)
        config.hiddenSize = 384
        config.setLabels(["a", "b", "a"])
        let json = config.json
        #expect(Array(json.keys.prefix(7)) == (try object(text).keys))
        #expect(json["hidden_size"] == 384)
        #expect(json["image_size"] == [224, 224])
        #expect(json["num_labels"] == 3)
        #expect(json["id2label"] == ["0": "a", "1": "b", "2": "a"])
        #expect(json["label2id"] == ["a": 0, "b": 1])
        #expect(json["pooler_output_size"] == 384)
        #expect(try DeiTConfig(json: json) == config)
    }

    @Test func readsLabelsAsExamplesWriteThem() throws {
        let config = try ViTConfig(
            json: object(
                #"{"id2label": {"1": "dog", "0": "cat"}, "label2id": {"cat": "0", "dog": "1"}}"#
            )
        )
        #expect(config.labels == ["cat", "dog"])
        #expect(config.label2id == ["cat": 0, "dog": 1])
        let half = try ViTConfig(json: object(#"{"id2label": {"0": "cat", "5": "dog"}}"#))
        #expect(half.labels == nil && half.numLabels == 2)
        let null = try ViTConfig(json: object(#"{"id2label": {"0": "cat", "1": null}}"#))
        #expect(null.labels == ["cat", "LABEL_1"] && null.json["id2label"]?["1"] == .null)
        let other = try ViTConfig(json: object(#"{"num_labels": 3, "id2label": {"0": "cat"}}"#))
        #expect(other.labels == ["LABEL_0", "LABEL_1", "LABEL_2"])
        #expect(half.label2id == ["cat": 0, "dog": 5])
    }

    /// As transformers, which reads any text and fails when it is to compute a loss.
    @Test func aProblemTypeThatNobodyKnowsIsKept() throws {
        let json = try object(#"{"problem_type": "guess"}"#)
        let config = try DeiTConfig(json: json)
        #expect(config.problemType == nil)
        #expect(config.json["problem_type"] == "guess")
    }

    @Test func settingACountNamesTheClasses() {
        var config = ViTConfig(numLabels: 3)
        #expect(config.labels == ["LABEL_0", "LABEL_1", "LABEL_2"])
        config.setLabels(["a", "b", "c"])
        config.numLabels = 3
        #expect(config.labels == ["a", "b", "c"])
        config.numLabels = 0
        #expect(config.labels == [] && config.label2id.isEmpty)
    }

    @Test func goesThroughCoders() throws {
        var config = try DeiTConfig(
            json: Fixtures.object("DeiTForImageClassification-wide/config.json")
        )
        config.layerNormEps = 3e-7
        let data = try JSONEncoder().encode(config)
        #expect(try JSONDecoder().decode(DeiTConfig.self, from: data) == config)
        #expect(throws: (any Error).self) {
            try JSONDecoder().decode(ViTConfig.self, from: data)
        }
    }

    @Test(
        arguments: [
            (#"{"model_type": "vit"}"#, "the DeiT classes are for"),
            (#"{"hidden_size": "wide"}"#, "hidden_size"),
            (#"{"image_size": [1, 2, 3]}"#, "image_size"),
            (#"{"id2label": {"zero": "cat"}}"#, "id2label"),
            (#"{"id2label": {"0": "cat"}, "label2id": {"cat": "first"}}"#, "label2id"),
            (#"{"num_labels": -1}"#, "num_labels"),
            (#"{"qkv_bias": 1}"#, "qkv_bias"),
        ]
    )
    func refusesWhatIsNoConfiguration(text: String, word: String) throws {
        let json = try object(text)
        let error = #expect(throws: CheckpointError.self) {
            try DeiTConfig(json: json, file: "here/config.json")
        }
        let sentence = try #require(error).description
        #expect(sentence.contains("here/config.json") && sentence.contains(word), "\(sentence)")
    }

    @Test func becomesANetworkAndBack() throws {
        let config = try DeiTConfig(json: Fixtures.object("DeiTModel-rest/config.json"))
        let network = try config.network(numClasses: 9)
        // The last rows and columns fall away, as in a convolution.
        #expect((network.imageHeight, network.imageWidth) == (20, 25))
        #expect(network.mlpDim == 12 && network.numClasses == 9 && network.isDistilled)
        let preset = ViTConfiguration(imageHeight: 32, numClasses: 3, layerNormEps: 1e-6)
        let back = try ViTConfig(preset, labels: ClassLabels(names: ["a", "b", "c"]))
        #expect(back.labels == ["a", "b", "c"])
        #expect(back.imageSize == PixelSize(height: 32, width: 224))
        #expect(try back.network(numClasses: 3) == preset)
        #expect(throws: (any Error).self) { try DeiTConfig(preset) }
        // Every width comes back, whatever the quotient rounds to.
        for width in 1...300 {
            let odd = ViTConfig(hiddenSize: 47 * 12, intermediateSize: width)
            #expect(try odd.network(numClasses: 2).mlpDim == width)
        }
    }

    @Test func refusesWhatNoNetworkIsMadeOf() {
        var configs: [(DeiTConfig, String)] = []
        func add(_ word: String, _ change: (inout DeiTConfig) -> Void) {
            var config = DeiTConfig()
            change(&config)
            configs.append((config, word))
        }
        add("hidden_act") { $0.hiddenAct = "relu" }
        add("patch_size") { $0.patchSize = PixelSize(height: 16, width: 8) }
        add("image height") { $0.patchSize = 225 }
        add("image height") { $0.patchSize = 0 }
        add("hidden_size") { $0.hiddenSize = 0 }
        add("intermediate_size") { $0.intermediateSize = -4 }
        add("heads") { $0.numAttentionHeads = 5 }
        add("depth") { $0.numHiddenLayers = 0 }
        for (config, word) in configs {
            let error = #expect(throws: (any Error).self) { try config.network(numClasses: 2) }
            #expect(error.map { "\($0)".contains(word) } == true, "\(String(describing: error))")
        }
    }

    @Test func aNameThatLeadsNowhereIsOneSentence() async {
        let error = await #expect(throws: PretrainedError.self) {
            try await DeiTConfig.fromPretrained("/no/such/folder")
        }
        #expect(error.map { "\($0)".contains("/no/such/folder") } == true)
    }
}
