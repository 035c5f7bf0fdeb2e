import Checkpoints
import Foundation
import ImagePipeline
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// What a checkpoint records of the way from an image to its input, in each of its forms.
@ModelActor @Suite struct PreprocessingTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func replace(_ text: String, by other: String, in file: String) throws {
        let old = try String(contentsOfFile: file, encoding: .utf8)
        let new = old.replacing(text, with: other)
        try #require(new != old, "\(text) is not in \(old)")
        try new.write(toFile: file, atomically: true, encoding: .utf8)
    }

    // MARK: - Orientation

    /// Both rules come back from every form that has a place for them.
    @Test(arguments: [Example.plain, .distilled, .layerScale, .resNet, .efficientNet])
    func theOrientationIsKept(_ example: Example) throws {
        for upright in [true, false] {
            var description = try example.description
            description.processor = description.processor.seeing(upright: upright)
            for form in [SaveOptions.Form.automatic, .timm, .bare] {
                let path = scratch.file("\(upright)-\(form)")
                try ModelDirectory.save(
                    example.configuration.makeModel(),
                    description,
                    to: path,
                    options: SaveOptions(form: form)
                )
                let read = try ModelDirectory.description(of: path).processor
                #expect(read.appliesOrientation == upright, "\(form)")
                let other = LoadOptions(images: ImageOverrides(appliesOrientation: !upright))
                let changed = try ModelDirectory.description(of: path, options: other).processor
                #expect(changed == read.seeing(upright: !upright))
            }
        }
    }

    /// Ours without the record were trained on files as stored; others' are shown images upright.
    @Test(arguments: [Example.plain, .layerScale])
    func withoutARecordItDependsOnWhoWroteIt(_ example: Example) throws {
        let path = scratch.file("m")
        try ModelDirectory.save(example.configuration.makeModel(), example.description, to: path)
        let configuration = "\(path)/config.json"
        let text = try String(contentsOfFile: configuration, encoding: .utf8)
        try #require(text.contains("\"exif_orientation\": true"))
        try replace("\"exif_orientation\": true", by: "\"other\": true", in: configuration)
        #expect(try !ModelDirectory.description(of: path).processor.appliesOrientation)
        try replace("swift_deit", by: "somebody", in: configuration)
        #expect(try ModelDirectory.description(of: path).processor.appliesOrientation)
        try replace("somebody", by: "swift_deit", in: configuration)
        try replace("\"other\": true", by: "\"exif_orientation\": 7", in: configuration)
        #expect(throws: CheckpointError.self) { try ModelDirectory.description(of: path) }
    }

    // MARK: - Crop modes

    private func timm(_ pretrained: String) throws -> ImageProcessor {
        let path = scratch.file("timm")
        let configuration = try ModelRegistry.configuration(named: "deit_nano_patch4_28")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Safetensors.write(
            configuration.makeModel().namedTensors(),
            to: "\(path)/model.safetensors"
        )
        let text = """
            {"architecture": "deit_nano_patch4_28", "num_classes": 1000, "pretrained_cfg": {\(pretrained)}}
            """
        try text.write(toFile: "\(path)/config.json", atomically: true, encoding: .utf8)
        return try ModelDirectory.description(of: path).processor
    }

    @Test func timmsWordsMeanWhatTheyMeanThere() throws {
        let statistics = #""mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]"#
        func rule(_ words: String) throws -> ResizeRule {
            let processor = try timm("\(words), \(statistics)")
            #expect(processor.cropHeight == 28)
            return processor.resize
        }
        #expect(
            try rule(#""input_size": [3, 28, 56], "crop_pct": 0.9"#)
                == .cover(height: 31, width: 62)
        )
        #expect(
            try rule(#""input_size": [3, 28, 56], "crop_pct": 0.9, "crop_mode": "border""#)
                == .contain(height: 31, width: 62)
        )
        #expect(
            try rule(#""input_size": [3, 28, 56], "crop_pct": 0.9, "crop_mode": "squash""#)
                == .exact(height: 31, width: 62)
        )
        #expect(
            try rule(#""input_size": [3, 28, 28], "crop_pct": 1, "crop_mode": "border""#)
                == .contain(height: 28, width: 28)
        )
        #expect(try rule(#""input_size": [3, 28, 28]"#) == .shortestSide(32))
        // timm's own defaults, where the file is silent.
        let bare = try timm(#""input_size": [3, 28, 28]"#)
        #expect(bare.interpolation == .bicubic && bare.mean == Normalization.imageNet.mean)
        #expect(bare.std == Normalization.imageNet.std)
        #expect(throws: CheckpointError.self) {
            try timm(#""input_size": [3, 28, 28], "crop_mode": "fill""#)
        }
    }

    /// What a square model becomes in another shape means the same to what reads it here and to timm, whose words
    /// for it the file has.
    @Test(arguments: [(32, 64), (64, 32), (24, 40), (40, 56), (56, 48)], CropMode.allCases)
    func otherShapesAreWrittenInTimmsWords(_ size: (Int, Int), _ mode: CropMode) throws {
        let (height, width) = size
        let source = scratch.file("source")
        var description = try Example.layerScale.description
        description.processor = try description.processor.with(
            resize: mode.resize(height: 32, width: 32, share: 0.875),
            crop: ImageSize(height: 32, width: 32)
        )
        try ModelDirectory.save(
            Example.layerScale.configuration.makeModel(),
            description,
            to: source
        )
        let options = LoadOptions(
            imageSize: LoadOptions.ImageSize(height: height, width: width),
            positionResampling: .timm
        )
        let loaded = try ModelDirectory.load(source, options: options)
        #expect(
            loaded.description.processor.resize
                == mode.resize(toHeight: height * 9 / 8, width: width * 9 / 8)
        )
        let target = scratch.file("target")
        try ModelDirectory.save(
            loaded.model,
            loaded.description,
            to: target,
            options: SaveOptions(form: .timm)
        )
        #expect(
            try ModelDirectory.description(of: target).processor == loaded.description.processor
        )
        let text = try String(contentsOfFile: "\(target)/config.json", encoding: .utf8)
        #expect(text.contains("\"crop_mode\": \"\(mode.rawValue)\""))
        let written = try #require(
            JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        )
        let words = try #require(written["pretrained_cfg"] as? [String: Any])
        let share = try #require(words["crop_pct"] as? Double)
        // As timm reckons: floor(side / crop_pct).
        #expect(Int((Double(height) / share).rounded(.down)) == height * 9 / 8)
        #expect(Int((Double(width) / share).rounded(.down)) == width * 9 / 8)
    }

    /// Transformers' processors cannot cover: the folder gets timm's form, and Hugging Face's is refused with what
    /// to do instead.
    @Test func huggingFacesFormIsRefusedWhereItHasNoWord() throws {
        var configuration = Example.plain.configuration
        configuration.imageSize = (32, 64)
        var description = try Example.plain.description
        description.configuration = configuration
        description.processor = try description.processor.with(
            resize: .cover(height: 36, width: 72),
            crop: ImageSize(height: 32, width: 64)
        )
        let model = try configuration.makeModel()
        let path = scratch.file("m")
        try ModelDirectory.save(model, description, to: path)
        #expect(try ModelDirectory.description(of: path).processor == description.processor)
        let error = #expect(throws: CheckpointError.self) {
            try ModelDirectory.save(
                model,
                description,
                to: scratch.file("hf"),
                options: SaveOptions(form: .huggingFace(nil))
            )
        }
        #expect(error?.description.contains("--crop-mode squash") == true)
        // A shorter side that leaves a border in the crop is Hugging Face's, and no word of timm's.
        description.processor = try description.processor.with(
            resize: .shortestSide(36),
            crop: ImageSize(height: 32, width: 64)
        )
        try ModelDirectory.save(model, description, to: path)
        #expect(try ModelDirectory.description(of: path).processor == description.processor)
        for form in [SaveOptions.Form.timm, .bare] {
            #expect(throws: CheckpointError.self) {
                try ModelDirectory.save(
                    model,
                    description,
                    to: scratch.file("t"),
                    options: SaveOptions(form: form)
                )
            }
        }
    }

    @Test func theCropModeCanBeChanged() throws {
        let path = scratch.file("m")
        try ModelDirectory.save(
            Example.plain.configuration.makeModel(),
            Example.plain.description,
            to: path
        )
        func rule(_ overrides: ImageOverrides) throws -> ImageProcessor {
            try ModelDirectory.description(of: path, options: LoadOptions(images: overrides))
                .processor
        }
        let squash = try rule(ImageOverrides(cropShare: 0.875, cropMode: .squash))
        #expect(squash.resize == .exact(height: 36, width: 36) && squash.cropHeight == 32)
        let border = try rule(ImageOverrides(cropShare: 1, cropMode: .border))
        #expect(border.resize == .contain(height: 32, width: 32))
        let usual = try rule(ImageOverrides())
        let other = try rule(ImageOverrides(cropMode: .border))
        guard case .contain = other.resize else {
            Issue.record("\(other.resize)")
            return
        }
        #expect(other.cropHeight == 32 && other.mean == usual.mean)
    }
}
