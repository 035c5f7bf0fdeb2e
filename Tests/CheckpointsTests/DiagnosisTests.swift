import Checkpoints
import Foundation
import ImagePipeline
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// What is found out about checkpoints, and what is wrong with them.
@ModelActor @Suite struct DiagnosisTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    func folder(_ name: String, mean: Float = 0.485, classes: Int = 1000) throws -> String {
        let path = scratch.file(name)
        let vit = ViTConfiguration(
            numClasses: classes,
            embedDim: 192,
            depth: 12,
            numHeads: 3,
            isDistilled: true,
            layerNormEps: 1e-6
        )
        let std: [Float] = mean == 0.5 ? [0.5, 0.5, 0.5] : Normalization.imageNet.std
        let description = ModelDescription(
            configuration: .visionTransformer(vit),
            processor: try ImageProcessor(
                resize: .shortestSide(256),
                cropHeight: 224,
                cropWidth: 224,
                mean: mean == 0.5 ? [0.5, 0.5, 0.5] : Normalization.imageNet.mean,
                std: std
            ),
            labels: ClassLabels(placeholders: classes)
        )
        try ModelDirectory.save(
            description.configuration.makeModel(),
            description,
            to: path
        )
        return path
    }

    func replace(_ old: String, _ new: String, in file: String) throws {
        let url = URL(fileURLWithPath: file)
        let text = try String(contentsOf: url, encoding: .utf8)
        #expect(text.contains(old), "\(old)")
        try text.replacingOccurrences(of: old, with: new)
            .write(to: url, atomically: true, encoding: .utf8)
    }

    func change(_ file: String, _ body: (inout [String: Tensor]) throws -> Void) throws {
        var tensors = try Safetensors.read(file)
        try body(&tensors)
        try Safetensors.write(tensors.map { (name: $0.key, tensor: $0.value) }, to: file)
    }

    func fact(_ name: String, _ diagnosis: Diagnosis) -> String? {
        diagnosis.facts.first { $0.name == name }?.value
    }

    @Test func soundCheckpointsAreDescribed() throws {
        let diagnosis = try Diagnosis.examine(folder("m"))
        // Fresh biases are zeros, which only matters in matrices.
        #expect(diagnosis.isSound && diagnosis.findings.isEmpty, "\(diagnosis.findings)")
        #expect(fact("container", diagnosis) == "safetensors")
        #expect(fact("names", diagnosis) == "Hugging Face's")
        #expect(fact("same as", diagnosis) == "deit_tiny_distilled_patch16_224")
        #expect(fact("parameters", diagnosis) == "5910800")
        #expect(fact("layer norm eps", diagnosis) == "1e-06")
        #expect(fact("resampling", diagnosis)?.hasPrefix("hf") == true)
    }

    @Test func changedBytesOfAPyTorchFileAreAFault() throws {
        let path = scratch.file("deit_nano_patch4_28.pth")
        let model = try ModelRegistry.configuration(named: "deit_nano_patch4_28").makeModel()
        try PyTorchWriter.write(model.namedTensors(), under: "model", to: path)
        let before = try Diagnosis.examine(path)
        #expect(before.isSound, "\(before.findings)")
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        // The middle of the file is within a tensor: nothing but its checksum tells.
        bytes[bytes.count / 2] ^= 1
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let after = try Diagnosis.examine(path)
        #expect(!after.isSound)
        let faults = after.findings.filter { $0.severity == .fault }.map(\.text)
        try #require(faults.count == 1, "\(faults)")
        #expect(faults[0].contains("/data/") && faults[0].contains("checksum"), "\(faults)")
    }

    @Test func wrongMeanOfDeiTIsAFault() throws {
        let diagnosis = try Diagnosis.examine(folder("deit", mean: 0.5))
        #expect(!diagnosis.isSound)
        #expect(diagnosis.findings.contains { $0.text.contains("mean [0.5, 0.5, 0.5]") })
        // Of other classes nobody knows how it was trained.
        #expect(try Diagnosis.examine(folder("mine", mean: 0.5, classes: 7)).isSound)
        // A plain DeiT is known by its folder's name only.
        let path = scratch.file("deit-tiny-patch16-224")
        let plain = try ModelRegistry.configuration(named: "deit_tiny_patch16_224")
        let half: [Float] = [0.5, 0.5, 0.5]
        let description = ModelDescription(
            configuration: plain,
            processor: try .whole(height: 224, width: 224, channels: 3, mean: half, std: half),
            labels: ClassLabels(placeholders: 1000)
        )
        try ModelDirectory.save(plain.makeModel(), description, to: path)
        let named = try Diagnosis.examine(path)
        #expect(!named.isSound && fact("known as", named) == "deit_tiny_patch16_224")
    }

    @Test func contradictionsOfConfigurationAndWeightsAreFaults() throws {
        let path = try folder("m", classes: 3)
        try replace("\"2\": \"2\"", "\"2\": \"2\", \"3\": \"3\"", in: "\(path)/config.json")
        let classes = try Diagnosis.examine(path)
        #expect(classes.findings.contains { $0.text.contains("names 4 classes") })
        #expect(!classes.isSound)
        let other = try folder("n", classes: 3)
        try replace("\"image_size\": 224", "\"image_size\": 384", in: "\(other)/config.json")
        let grid = try Diagnosis.examine(other)
        #expect(grid.findings.contains { $0.text.contains("position_embeddings") })
        #expect(!grid.isSound)
    }

    @Test func doubtsAreWarnings() throws {
        let path = try folder("m")
        try replace(
            "\"layer_norm_eps\": 1e-06",
            "\"layer_norm_eps\": 1e-12",
            in: "\(path)/config.json"
        )
        try replace("\"encoder_stride\": 16", "\"encoder_stride\": 8", in: "\(path)/config.json")
        let diagnosis = try Diagnosis.examine(path)
        #expect(diagnosis.isSound)
        #expect(diagnosis.findings.map(\.severity) == [.warning, .warning])
        #expect(diagnosis.findings.contains { $0.text.contains("1e-6") })
        #expect(diagnosis.findings.contains { $0.text.contains("encoder_stride is 8") })
    }

    @Test func brokenNumbersAreNamed() throws {
        let path = try folder("m", classes: 3)
        try change("\(path)/model.safetensors") { tensors in
            try tensors["deit.layernorm.bias"]?.fill(.infinity)
            try tensors["cls_classifier.weight"]?.fill(0)
        }
        let diagnosis = try Diagnosis.examine(path)
        #expect(!diagnosis.isSound)
        #expect(
            diagnosis.findings.contains {
                $0.text.contains("NaN or infinity in deit.layernorm.bias")
            }
        )
        #expect(
            diagnosis.findings.contains {
                $0.text.contains("all values are zero in cls_classifier.weight")
            }
        )
    }

    @Test func whatIsNoCheckpointIsOneSentence() throws {
        for bytes in [[], [1, 2, 3], Array("<html>".utf8), [UInt8](repeating: 0x50, count: 100)] {
            let file = try scratch.write(bytes, to: "broken.pth")
            #expect(throws: CheckpointError.self) { try Diagnosis.examine(file) }
        }
        let text = try scratch.write(
            container(
                #"{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}"#,
                data: [0, 0, 0, 0]
            ),
            to: "other.safetensors"
        )
        let other = try Diagnosis.examine(text)
        #expect(!other.isSound)
        #expect(other.findings.first?.text.contains("no supported vision transformer") == true)
    }
}
