import Checkpoints
import Foundation
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// Models whose linear layers are in 8 bits, on the disk.
@ModelActor @Suite struct Int8Tests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// A model with all linear layers but its heads in 8 bits.
    private func int8Model(_ example: Example = .plain) throws -> any ImageClassifier {
        let model = try example.makeModel()
        for (name, module) in model.namedModules() where !["head", "head_dist"].contains(name) {
            guard let layer = module as? Linear else { continue }
            let (rows, columns) = try layer.weight.tensor.shape2()
            let scales = (0..<rows).map { 0.001 + Float($0) / 7919 }
            let numbers = (0..<(rows * columns)).map { index -> Float in
                // Every number from -127 to 127, and 0 with either sign, as rounding leaves it.
                let step = Float(index * 37 % 255 - 127)
                return step == 0 ? (index % 2 == 0 ? 0 : -0.0) : step * scales[index / columns]
            }
            let value = try Tensor(numbers, shape: [rows, columns])
            try withoutGradient { () throws(TorchError) in
                try layer.weight.tensor.copy(from: value)
            }
            layer.quantization = LinearQuantization(weightScale: scales)
        }
        return model
    }

    private func quantizations(
        of model: any ImageClassifier
    ) -> [String: LinearQuantization] {
        var found: [String: LinearQuantization] = [:]
        for (name, module) in model.namedModules() {
            if let quantization = (module as? Linear)?.quantization { found[name] = quantization }
        }
        return found
    }

    private func save(_ example: Example = .plain, form: SaveOptions.Form) throws -> String {
        let path = scratch.file(form == .bare ? "bare.safetensors" : "folder")
        try ModelDirectory.save(
            int8Model(example),
            example.description,
            to: path,
            options: SaveOptions(form: form)
        )
        return path
    }

    @Test(
        arguments: [Example.plain, .distilled, .grayOblong, .layerScale],
        [SaveOptions.Form.timm, .bare, .huggingFace(nil)]
    )
    func whatIsWrittenComesBack(example: Example, form: SaveOptions.Form) throws {
        // Hugging Face's names have no place for some networks.
        if form == .huggingFace(nil), example == .layerScale { return }
        let model = try int8Model(example)
        let path = try save(example, form: form)
        let loaded = try ModelDirectory.load(path)
        let expected = quantizations(of: model)
        #expect(expected.count == 8)
        #expect(quantizations(of: loaded.model) == expected)
        #expect(loaded.report.int8Layers == 8)
        #expect(loaded.report.sentences.contains { $0.contains("8 linear layers in 8 bits") })
        let (found, wanted) = (loaded.model.namedTensors(), model.namedTensors())
        try #require(found.map(\.name) == wanted.map(\.name))
        for index in wanted.indices {
            #expect(
                try found[index].tensor.floats() == wanted[index].tensor.floats(),
                "\(wanted[index].name)"
            )
        }
        // Read and written again, every byte of the file is as it was.
        let again = scratch.file("again.safetensors")
        try ModelDirectory.save(
            loaded.model,
            loaded.description,
            to: again,
            options: SaveOptions(form: .bare)
        )
        if form == .huggingFace(nil) { return }
        let file = form == .timm ? "\(path)/model.safetensors" : path
        let (first, second) = (try Safetensors.read(file), try Safetensors.read(again))
        #expect(Set(first.keys) == Set(second.keys))
        for (name, tensor) in first {
            let bytes = try tensor.withBytes { [UInt8]($0) }
            #expect(try second[name]?.withBytes { [UInt8]($0) } == bytes, "\(name)")
        }
    }

    @Test func theFileHasTheFormThatIsDocumented() throws {
        let path = try save(form: .timm)
        let tensors = try Safetensors.read("\(path)/model.safetensors")
        let model = try int8Model()
        for (layer, quantization) in quantizations(of: model) {
            let weight = try #require(tensors["\(layer).weight"])
            #expect(weight.dtype == .int8)
            let rows = quantization.weightScale.count
            #expect(weight.shape.first == rows)
            let scale = try #require(tensors["\(layer).weight_scale"])
            #expect(scale.dtype == .float32 && scale.shape == [rows])
            #expect(try scale.floats() == quantization.weightScale)
        }
        #expect(tensors["head.weight"]?.dtype == .float32)
        let config = try String(contentsOfFile: "\(path)/config.json", encoding: .utf8)
        #expect(config.contains("\"quant_method\": \"deit-int8\""))
        // Python's loaders find names that they do not know, rather than numbers that they misread.
        let expected = Set(model.namedTensors().map(\.name))
        #expect(Set(tensors.keys).subtracting(expected).count == 8)
    }

    @Test func huggingFacesFormHasQueriesKeysAndValuesApart() throws {
        let path = try save(form: .huggingFace(nil))
        let tensors = try Safetensors.read("\(path)/model.safetensors")
        let model = try int8Model()
        let scales = try #require(quantizations(of: model)["blocks.1.attn.qkv"]?.weightScale)
        let width = scales.count / 3
        let attention = "vit.encoder.layer.1.attention.attention"
        for (index, part) in ["query", "key", "value"].enumerated() {
            let weight = try #require(tensors["\(attention).\(part).weight"])
            #expect(weight.dtype == .int8 && weight.shape == [width, width])
            let scale = try #require(tensors["\(attention).\(part).weight_scale"]).floats()
            #expect(scale == Array(scales[(index * width)..<((index + 1) * width)]))
        }
        let config = try String(contentsOfFile: "\(path)/config.json", encoding: .utf8)
        #expect(config.contains("\"quant_method\": \"deit-int8\""))
        #expect(config.contains("ViTForImageClassification"))
    }

    @Test func directoriesOfEarlierVersionsAreRead() throws {
        let path = try save(form: .timm)
        let file = "\(path)/model.safetensors"
        var tensors = try Safetensors.read(file)
        for name in tensors.keys where name.hasSuffix(".weight_scale") {
            let layer = name.dropLast("weight_scale".count)
            tensors[layer + "input_scale"] = try Tensor([0.03], shape: [])
            tensors[layer + "input_zero_point"] = try Tensor([128], shape: []).to(.int32)
        }
        try Safetensors.write(tensors.map { (name: $0.key, tensor: $0.value) }, to: file)
        let loaded = try ModelDirectory.load(path)
        #expect(try quantizations(of: loaded.model) == quantizations(of: int8Model()))
        #expect(loaded.report.ignored.isEmpty)
    }

    @Test func otherFormsAreRefused() throws {
        for options in [
            SaveOptions(form: .deit), SaveOptions(form: .huggingFace(nil), container: .pytorch),
            SaveOptions(form: .bare, container: .pytorch),
            SaveOptions(form: .timm, container: .pytorch),
        ] {
            let error = #expect(throws: CheckpointError.self) {
                try ModelDirectory.save(
                    int8Model(),
                    Example.plain.description,
                    to: scratch.file("out"),
                    options: options
                )
            }
            #expect(error.map { "\($0)".contains("hf, timm and safetensors") } == true)
        }
        #expect(try scratch.names().isEmpty)
    }

    @Test func aWeightThatWasTrainedOnIsNotRoundedInSilence() throws {
        let model = try int8Model()
        let weight = try #require(
            model.namedParameters().first { $0.name == "blocks.1.mlp.fc1.weight" }
        ).parameter.tensor
        let numbers = try weight.detached().floats().map { $0 * 1.001 }
        let value = try Tensor(numbers, shape: weight.shape)
        try withoutGradient { () throws(TorchError) in try weight.copy(from: value) }
        let error = #expect(throws: CheckpointError.self) {
            try ModelDirectory.save(
                model,
                Example.plain.description,
                to: scratch.file("out"),
                options: SaveOptions(form: .timm)
            )
        }
        #expect(error.map { "\($0)".contains("blocks.1.mlp.fc1.weight") } == true)
    }

    @Test func positionsAndHeadsMayDiffer() throws {
        let path = try save(.distilled, form: .timm)
        let options = LoadOptions(
            relaxations: [.replaceHead],
            labels: ClassLabels(names: ["a", "b", "c"]),
            imageSize: .init(height: 48, width: 64),
            positionResampling: .timm
        )
        let loaded = try ModelDirectory.load(path, options: options)
        #expect(loaded.model.numClasses == 3)
        #expect(loaded.report.replaced.count == 4)
        #expect(loaded.report.int8Layers == 8)
        let without = try ModelDirectory.load(path, options: LoadOptions(relaxations: [.dropHead]))
        #expect(without.model.numClasses == 0 && without.report.int8Layers == 8)
    }

    @Test func aHeadThatIsReplacedTakesItsStepsWithIt() throws {
        let file = try save(form: .bare)
        var tensors = try Safetensors.read(file)
        let metadata = try SafetensorsFile(path: file).metadata
        tensors["head.weight"] = try Tensor.zeros([5, 64]).to(.int8)
        tensors["head.weight_scale"] = try Tensor.ones([5])
        try Safetensors.write(
            tensors.map { (name: $0.key, tensor: $0.value) },
            metadata: metadata,
            to: file
        )
        #expect(try ModelDirectory.load(file).report.int8Layers == 9)
        let options = LoadOptions(
            relaxations: [.replaceHead],
            labels: ClassLabels(names: ["a", "b", "c"])
        )
        let loaded = try ModelDirectory.load(file, options: options)
        #expect(loaded.report.int8Layers == 8)
        #expect(quantizations(of: loaded.model)["head"] == nil)
    }

    @Test func aConversionKeepsEveryNumber() throws {
        let path = try save(form: .timm)
        let output = scratch.file("same.safetensors")
        let report = try Conversion.run(
            path,
            loading: LoadOptions(),
            to: output,
            saving: SaveOptions(form: .bare)
        )
        #expect(report.int8Layers == 8 && report.dtype == "float32")
        let tensors = try Safetensors.read(output)
        #expect(tensors["blocks.0.attn.qkv.weight"]?.dtype == .int8)
        #expect(tensors["blocks.0.attn.qkv.weight_scale"]?.dtype == .float32)
        #expect(tensors["norm.weight"]?.dtype == .float32)
        let diagnosis = try Diagnosis.examine(path)
        #expect(diagnosis.isSound, "\(diagnosis.findings)")
        #expect(
            diagnosis.facts.contains { $0.name == "int8" && $0.value.contains("8 linear layers") }
        )
    }

    @Test(arguments: [SaveOptions.Form.bare, .huggingFace(nil)])
    func anotherNumberFormatWritesWhatTheWeightsStandFor(form: SaveOptions.Form) throws {
        let path = try save(form: .timm)
        let output = scratch.file("plain" + (form == .bare ? ".safetensors" : ""))
        let report = try Conversion.run(
            path,
            loading: LoadOptions(),
            to: output,
            saving: SaveOptions(form: form, dtype: .float32)
        )
        #expect(report.int8Layers == 0)
        let file = form == .bare ? output : "\(output)/model.safetensors"
        #expect(try Safetensors.read(file).values.allSatisfy { $0.dtype == .float32 })
        if form != .bare {
            let config = try String(contentsOfFile: "\(output)/config.json", encoding: .utf8)
            #expect(!config.contains("quantization_config"))
        }
        let loaded = try ModelDirectory.load(output)
        #expect(quantizations(of: loaded.model).isEmpty)
        for (found, wanted) in zip(loaded.model.namedTensors(), try int8Model().namedTensors()) {
            #expect(try found.tensor.floats() == wanted.tensor.floats(), "\(wanted.name)")
        }
    }

    @Test(.needsPeers("torch", "transformers>=5", "timm", "safetensors"))
    func transformersLoadsWhatTheWeightsStandFor() throws {
        // Layer by layer the numbers that the weights stand for multiply inputs that are not rounded.
        let policy = ComputePolicy.current
        defer { ComputePolicy.current = policy }
        ComputePolicy.current = ComputePolicy()
        let model = try int8Model()
        let int8 = try save(form: .huggingFace(nil))
        let plain = scratch.file("plain")
        _ = try Conversion.run(
            int8,
            loading: LoadOptions(),
            to: plain,
            saving: SaveOptions(form: .huggingFace(nil), dtype: .float32)
        )
        let images = try Tensor.randn([2] + model.inputShape)
        let logits = try withoutGradient { try model(images) }
        let probe = scratch.file("probe.safetensors")
        try Safetensors.write([("images", images), ("logits", logits)], to: probe)
        let (status, text) = try Peers.run("check_int8.py", [int8, plain, probe])
        #expect(
            status == 0 && text.contains("ok by hand") && text.contains("ok by deit"),
            "\(text)"
        )
    }

    /// What is done to a file, and the words of the error.
    struct Damage: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let words: [String]
        let change: @ModelActor @Sendable (inout [String: Tensor]) throws -> Void

        static let layer = "blocks.1.attn.proj"

        static let all = [
            Damage("no weight_scale", ["\(layer).weight ", "weight_scale"]) {
                $0["\(layer).weight_scale"] = nil
            },
            Damage("a weight that is not in 8 bits", ["\(layer).", "F32", "I8"]) {
                $0["\(layer).weight"] = try $0["\(layer).weight"]?.to(.float32)
            },
            Damage("parts of no layer", ["nothing.weight_scale"]) {
                $0["nothing.weight_scale"] = try Tensor.ones([3])
            },
            Damage("a convolution", ["patch_embed.proj.weight", "linear"]) {
                $0["patch_embed.proj.weight"] = try $0["patch_embed.proj.weight"]?.to(.int8)
                $0["patch_embed.proj.weight_scale"] = try Tensor.ones([64])
            },
            Damage("a scale of another length", ["\(layer).weight_scale", "[63]", "[64]"]) {
                $0["\(layer).weight_scale"] = try Tensor.ones([63])
            },
            Damage("a scale of another type", ["\(layer).weight_scale", "F64"]) {
                $0["\(layer).weight_scale"] = try Tensor.ones([64]).to(.float64)
            },
            Damage("a scale of 0", ["\(layer).weight_scale", "above 0"]) {
                $0["\(layer).weight_scale"] = try Tensor.zeros([64])
            },
            Damage("NaN", ["\(layer).weight_scale", "above 0"]) {
                $0["\(layer).weight_scale"] = try Tensor.full(.nan, [64])
            },
            Damage("infinity", ["\(layer).weight_scale", "finite"]) {
                $0["\(layer).weight_scale"] = try Tensor.full(.infinity, [64])
            },
            Damage("two of the same", ["weight_scale", "has no weight"]) {
                $0["module.\(layer).weight_scale"] = try Tensor.ones([64])
            },
        ]

        init(
            _ name: String,
            _ words: [String],
            _ change: @escaping @ModelActor @Sendable (inout [String: Tensor]) throws -> Void
        ) {
            testDescription = name
            self.words = words
            self.change = change
        }
    }

    @Test(arguments: Damage.all) func damageIsNamed(damage: Damage) throws {
        let path = try save(form: .timm)
        let file = "\(path)/model.safetensors"
        var tensors = try Safetensors.read(file)
        try damage.change(&tensors)
        try Safetensors.write(tensors.map { (name: $0.key, tensor: $0.value) }, to: file)
        let error = #expect(throws: CheckpointError.self) { try ModelDirectory.load(path) }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains("model.safetensors"))
        for word in damage.words { #expect(text.contains(word), "no \"\(word)\" in: \(text)") }
    }
}
