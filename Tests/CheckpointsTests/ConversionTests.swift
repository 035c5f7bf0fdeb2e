import Checkpoints
import Foundation
import ImagePipeline
import Storage
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// Forms, types, sizes and parts of what is written.
@ModelActor @Suite struct ConversionTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    func source(_ example: Example = .distilled) throws -> String {
        let path = scratch.file("source-\(example.rawValue)")
        try ModelDirectory.save(example.makeModel(), example.description, to: path)
        return path
    }

    @Test(arguments: [Example.plain, .distilled, .grayOblong, .layerScale])
    func foldersOfTimmComeBack(example: Example) throws {
        let model = try example.makeModel()
        let path = scratch.file("t")
        try ModelDirectory.save(
            model,
            example.description,
            to: path,
            options: SaveOptions(form: .timm)
        )
        let loaded = try ModelDirectory.load(path)
        #expect(loaded.description.configuration == example.configuration)
        #expect(try loaded.description.labels == example.description.labels)
        #expect(try contents(of: loaded.model) == contents(of: model))
    }

    @Test(arguments: Example.allCases)
    func bareSafetensorsTellEverythingThemselves(example: Example) throws {
        let file = scratch.file("bare.safetensors")
        let description = try example.description
        try ModelDirectory.save(
            example.makeModel(),
            description,
            to: file,
            options: SaveOptions(form: .bare)
        )
        let loaded = try ModelDirectory.load(file)
        #expect(loaded.report.assumptions.isEmpty, "\(loaded.report.assumptions)")
        #expect(loaded.description.configuration == example.configuration)
        #expect(loaded.description.labels == description.labels)
        #expect(loaded.description.processor.mean == description.processor.mean)
        #expect(try contents(of: loaded.model) == contents(of: example.makeModel()))
    }

    @Test func aNumberBeyondTheTypeIsNamed() throws {
        let path = scratch.file("large")
        let model = try Example.plain.makeModel()
        let bias = try #require(model.namedTensors().first { $0.name == "head.bias" }).tensor
        try withoutGradient { try bias.fill(-70_000) }
        try ModelDirectory.save(model, Example.plain.description, to: path)
        for (form, name) in [
            (SaveOptions.Form.huggingFace(nil), "hf"), (.timm, "timm"), (.deit, "a.pth"),
        ] {
            let output = scratch.file(name)
            func convert(_ dtype: DType) throws {
                _ = try Conversion.run(
                    path,
                    loading: LoadOptions(),
                    to: output,
                    saving: SaveOptions(form: form, dtype: dtype)
                )
            }
            let error = #expect(throws: CheckpointError.self) { try convert(.float16) }
            let text = error?.description ?? ""
            let tensor = form == .huggingFace(nil) ? "classifier.bias" : "head.bias"
            #expect(text.contains(tensor) && text.contains("70000"), "\(text)")
            #expect(text.contains("float16") && text.contains("bf16"), "\(text)")
            #expect(!text.contains(".tmp-") && !FileManager.default.fileExists(atPath: output))
            try convert(.bfloat16)
        }
    }

    @Test func noErrorNamesATemporaryPath() throws {
        let path = scratch.file("out")
        let error = #expect(throws: CheckpointError.self) {
            try AtomicFolder.write(to: path) { folder in
                throw CheckpointError.malformed(
                    file: "\(folder)/config.json",
                    reason: "of \(folder)"
                )
            }
        }
        #expect(error == .malformed(file: "\(path)/config.json", reason: "of \(path)"))
    }

    @Test(arguments: [DType.float16, .bfloat16]) func numbersAreRoundedOnce(dtype: DType) throws {
        let path = try source()
        for (form, name) in [
            (SaveOptions.Form.huggingFace(nil), "hf"), (.timm, "timm"), (.deit, "a.pth"),
        ] {
            let output = scratch.file(name)
            let report = try Conversion.run(
                path,
                loading: LoadOptions(),
                to: output,
                saving: SaveOptions(form: form, dtype: dtype)
            )
            #expect(report.dtype == dtype.rawValue)
            let again = try ModelDirectory.load(output)
            for (index, (name, tensor)) in try ModelDirectory.load(path).model.namedTensors()
                .enumerated()
            {
                let expected = try tensor.detached().to(dtype).to(.float32).floats()
                #expect(
                    try again.model.namedTensors()[index].tensor.floats() == expected,
                    "\(name)"
                )
            }
            // Without a type the next form keeps this one.
            let next = try Conversion.run(
                output,
                loading: LoadOptions(),
                to: output + ".safetensors",
                saving: SaveOptions(form: .bare)
            )
            #expect(next.dtype == dtype.rawValue)
        }
    }

    @Test func partsHaveAnIndex() throws {
        let path = try source()
        let output = scratch.file("parts")
        for container in SaveOptions.Container.allCases {
            _ = try Conversion.run(
                path,
                loading: LoadOptions(),
                to: output,
                saving: SaveOptions(
                    form: .huggingFace(nil),
                    container: container,
                    maxShardSize: 100_000
                )
            )
            let names = try FileManager.default.contentsOfDirectory(atPath: output)
            let stem = container == .safetensors ? "model" : "pytorch_model"
            let parts = names.filter { $0.hasPrefix("\(stem)-0000") }
            #expect(parts.count > 2 && names.contains { $0.hasSuffix(".index.json") })
            for part in parts {
                let size = try FileManager.default.attributesOfItem(atPath: "\(output)/\(part)")
                #expect((size[.size] as? Int ?? 0) < 130_000)
            }
            #expect(
                try contents(of: ModelDirectory.load(output).model)
                    == contents(of: Example.distilled.makeModel())
            )
        }
        #expect(throws: CheckpointError.self) {
            try Conversion.run(
                path,
                loading: LoadOptions(),
                to: scratch.file("timm"),
                saving: SaveOptions(form: .timm, maxShardSize: 1)
            )
        }
    }

    @Test(arguments: PositionEmbeddingResampling.allCases, [Example.distilled, .layerScale])
    func anotherSizeIsAskedForAndTold(
        variant: PositionEmbeddingResampling,
        example: Example
    ) throws {
        let path = try source(example)
        var options = LoadOptions(imageSize: .init(height: 48, width: 64))
        let strict = #expect(throws: CheckpointError.self) {
            try ModelDirectory.load(path, options: options)
        }
        #expect(strict.map { "\($0)".contains("resampling by one of: deit, timm") } == true)
        options.positionResampling = variant
        let loaded = try ModelDirectory.load(path, options: options)
        #expect(loaded.report.resampling?.variant == variant)
        #expect(loaded.report.relaxations.first?.contains("from 4×4 to 6×8") == true)
        #expect(loaded.description.configuration.imageSize == (48, 64))
        let small = try example.makeModel().namedTensors().first { $0.name == "pos_embed" }
        let prefix = example == .distilled ? 2 : 0
        let expected = try variant.resample(
            #require(small).tensor.detached(),
            prefixTokens: prefix,
            from: PatchGrid(height: 4, width: 4),
            to: PatchGrid(height: 6, width: 8)
        )
        let found = loaded.model.namedTensors().first { $0.name == "pos_embed" }
        #expect(try #require(found).tensor.floats() == expected.floats())
        // Written and read again, it is a model of that size.
        let again = scratch.file("resized")
        try ModelDirectory.save(loaded.model, loaded.description, to: again)
        #expect(
            try ModelDirectory.load(again).description.configuration
                == loaded.description.configuration
        )
    }

    @Test func sizesThatDoNotFitAreRefused() throws {
        let path = try source(.plain)
        for (height, width) in [(47, 48), (0, 32), (-8, 32), (Int.max, 32)] {
            #expect(throws: ConfigurationError.self) {
                try ModelDirectory.load(
                    path,
                    options: LoadOptions(
                        imageSize: .init(height: height, width: width),
                        positionResampling: .timm
                    )
                )
            }
        }
        let same = LoadOptions(imageSize: .init(height: 32, width: 32), positionResampling: .dino)
        let loaded = try ModelDirectory.load(path, options: same)
        #expect(loaded.report.resampling == nil && loaded.report.sentences.isEmpty)
    }

    @Test func bareGridsThatAreNoSquareNeedTheSize() throws {
        let file = scratch.file("oblong.safetensors")
        let model = try Example.grayOblong.makeModel()
        try Safetensors.write(model.namedTensors(), to: file)
        let error = #expect(throws: CheckpointError.self) { try ModelDirectory.load(file) }
        #expect(error.map { "\($0)".contains("square grid") } == true)
        let loaded = try ModelDirectory.load(
            file,
            options: LoadOptions(imageSize: .init(height: 32, width: 48))
        )
        #expect(try contents(of: loaded.model) == contents(of: model))
        #expect(throws: CheckpointError.self) {
            try ModelDirectory.load(
                file,
                options: LoadOptions(imageSize: .init(height: 32, width: 32))
            )
        }
    }

    @Test func brokenNumbersStopEverything() throws {
        let path = try source(.plain)
        let file = "\(path)/model.safetensors"
        let tensors = try Safetensors.read(file)
        try tensors["vit.layernorm.weight"]?.fill(.nan)
        try Safetensors.write(tensors.map { (name: $0.key, tensor: $0.value) }, to: file)
        let error = #expect(throws: CheckpointError.self) { try ModelDirectory.load(path) }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains("NaN or infinity in vit.layernorm.weight"))
        #expect(throws: CheckpointError.self) {
            try Conversion.run(
                path,
                loading: LoadOptions(),
                to: scratch.file("out"),
                saving: SaveOptions(form: .timm)
            )
        }
        #expect(try scratch.names() == ["source-plain"])
    }

    @Test func fileNamesTellImagesAndHeads() throws {
        var configuration = try ModelRegistry.configuration(named: "deit_tiny_patch16_224")
        configuration.numClasses = 2
        let model = try configuration.makeModel()
        func processor(_ name: String) throws -> (mean: Float, resize: ResizeRule) {
            let file = scratch.file(name)
            try Safetensors.write(model.namedTensors(), to: file)
            let description = try ModelDirectory.description(of: file)
            #expect(description.configuration == configuration)
            return (description.processor.mean[0], description.processor.resize)
        }
        #expect(
            try processor("vit_tiny_patch16_224.augreg_in21k_ft_in1k.safetensors")
                == (0.5, .shortestSide(248))
        )
        #expect(
            try processor("deit_tiny_patch16_224-a1311bcf.safetensors")
                == (0.485, .shortestSide(256))
        )
        #expect(
            try processor("vit_tiny_patch16_224.dino.safetensors") == (0.485, .shortestSide(256))
        )
        // A name that the shapes contradict says nothing.
        #expect(
            try processor("vit_small_patch16_224.augreg_in1k.safetensors")
                == (0.485, .shortestSide(256))
        )
        #expect(try processor("anything.safetensors") == (0.485, .shortestSide(256)))
        let images = ImageOverrides(mean: [0.1], std: [0.2, 0.3, 0.4], cropShare: 0.5)
        let changed = try ModelDirectory.description(
            of: scratch.file("anything.safetensors"),
            options: LoadOptions(images: images)
        ).processor
        #expect(changed.mean == [0.1, 0.1, 0.1] && changed.std == [0.2, 0.3, 0.4])
        #expect(changed.resize == .shortestSide(448) && changed.cropHeight == 224)
    }

    @Test func bothContainersInAFolderAreTold() throws {
        let path = try source(.plain)
        try Data([1]).write(to: URL(fileURLWithPath: "\(path)/pytorch_model.bin"))
        let loaded = try ModelDirectory.load(path)
        #expect(
            loaded.report.notes == ["using model.safetensors, not pytorch_model.bin"]
        )
        try FileManager.default.removeItem(atPath: "\(path)/model.safetensors")
        #expect(throws: CheckpointError.self) { try ModelDirectory.load(path) }
    }
}
