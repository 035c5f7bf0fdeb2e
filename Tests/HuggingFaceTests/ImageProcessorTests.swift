import Checkpoints
import Foundation
import HuggingFace
import ImagePipeline
import Storage
import TestSupport
import Testing
import Torch

@Suite struct ImageProcessorTests {
    /// The images of transformers' Pillow classes, to the rounding of the last operation.
    @Test(
        .tags(.parity),
        arguments: [
            "deit_squash_crop", "deit_old_integers", "deit_shortest_edge", "deit_too_small",
            "vit_squash", "vit_old_integer", "vit_nearest", "vit_unscaled", "vit_factor",
            "vit_not_normalized", "bit_dinov2", "bit_defaults",
        ]
    )
    func pixelsAreThoseOfTransformersParityTests(name: String) throws {
        let expected = try Fixtures.tensors("processors/expected.safetensors")
        let json = try Fixtures.object("processors/\(name).json")
        let image = try image(of: expected)
        let found: BatchFeature =
            name.hasPrefix("deit")
            ? try DeiTImageProcessor(json: json).preprocess([image])
            : name.hasPrefix("bit")
                ? try BitImageProcessor(json: json)([image])
                : try ViTImageProcessor(json: json)([image])
        expectClose(
            shape: found.shape,
            found.values,
            expectedShape: try expected.shape(name),
            try expected.floats(name),
            tolerance: 1e-6,
            name
        )
    }

    @Test(.tags(.unit)) func defaultsAreHuggingFaces() throws {
        let deit = try Fixtures.object("processors/DeiT/preprocessor_config.json")
        #expect(try DeiTImageProcessor(json: deit) == DeiTImageProcessor())
        var written = DeiTImageProcessor().json
        written["image_processor_type"] = "DeiTImageProcessor"
        #expect(ordered(written) == ordered(deit))
        let vit = try Fixtures.object("processors/ViT/preprocessor_config.json")
        #expect(try ViTImageProcessor(json: vit) == ViTImageProcessor())
        #expect(!ViTImageProcessor().doCenterCrop)
        let bit = try Fixtures.object("processors/Bit/preprocessor_config.json")
        #expect(try BitImageProcessor(json: bit) == BitImageProcessor())
        #expect(BitImageProcessor().json.keys == bit.keys)
    }

    @Test(.tags(.unit)) func theOldNameIsAnAlias() {
        let old: any NamesExtractor.Type = OldName.self
        #expect(ObjectIdentifier(old.extractor) == ObjectIdentifier(DeiTImageProcessor.self))
    }

    @Test(.tags(.unit)) func writesAFileBackWithWhatItDoesNotKnow() throws {
        let text = """
            {"feature_extractor_type": "DeiTFeatureExtractor", "size": 256, "crop_size": 224, "resample": 3,
            "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "odd": {"z": 1}}
            """
        var processor = try DeiTImageProcessor(json: object(text))
        #expect(JSONValue.object(processor.json) == .object(try object(text)))
        #expect(processor.size == .exact(256) && processor.cropSize == 224)
        processor.size = .shortestEdge(248)
        processor.imageStd = [0.2, 0.2, 0.2]
        let json = processor.json
        #expect(json["size"] == ["shortest_edge": 248])
        #expect(json["image_std"] == [0.2, 0.2, 0.2])
        #expect(json["crop_size"] == 224)
        #expect(json["odd"] == ["z": 1])
        #expect(try DeiTImageProcessor(json: json) == processor)
    }

    @Test(.tags(.unit)) func savesAndLoads() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var processor = ViTImageProcessor()
        processor.resample = .bicubic
        processor.imageMean = [0.25]
        processor.imageStd = [0.125]
        try processor.savePretrained(to: folder)
        #expect(try await ViTImageProcessor.fromPretrained(folder) == processor)
    }

    @ModelActor
    @Test(.tags(.unit)) func agreesWithOurOwnProcessor() throws {
        let ours = try ImageProcessor.deit(size: 20)
        let theirs = DeiTImageProcessor(ours)
        let back = try theirs.imageProcessor()
        #expect(back.resize == ours.resize && back.normalization == ours.normalization)
        #expect(back.cropHeight == 20 && back.cropWidth == 20 && back.centering == .floored)
        // An odd remainder, for which transformers' crop lies beside torchvision's.
        let odd = try Image(
            height: 23,
            width: 29,
            channels: 3,
            pixels: (0..<(23 * 29 * 3)).map { UInt8(truncatingIfNeeded: $0 &* 193 >> 3) }
        )
        #expect(try back(odd).values == theirs.preprocess([odd]).values)
        // An even remainder: here the crops of torchvision and transformers are the same.
        let image = try Image(
            height: 44,
            width: 88,
            channels: 3,
            pixels: (0..<(44 * 88 * 3)).map { UInt8(truncatingIfNeeded: $0 &* 193 >> 3) }
        )
        let expected = try ours(image)
        let found = try theirs.preprocess([image, image])
        #expect(found.shape == [2, 3, 20, 20])
        #expect(found.values == expected.values + expected.values)
        #expect(try found.pixelValues().shape == [2, 3, 20, 20])
    }

    @Test(.tags(.unit)) func refusesWhatMakesNoBatch() throws {
        var processor = ViTImageProcessor()
        #expect(throws: ImageError.self) { try processor.preprocess([]) }
        processor.doResize = false
        let images = try [3, 4].map {
            try Image(height: $0, width: 2, channels: 1, pixels: Array(repeating: 7, count: $0 * 2))
        }
        #expect(throws: ImageError.self) { try processor.preprocess(images) }
        #expect(try processor.preprocess([images[0]]).shape == [1, 3, 3, 2])
        processor.rescaleFactor = 0
        #expect(throws: ImageError.self) { try processor.preprocess([images[0]]) }
        processor = ViTImageProcessor()
        processor.imageStd = [1, 0, 1]
        #expect(throws: ImageError.self) { try processor.preprocess([images[0]]) }
        processor = ViTImageProcessor()
        processor.doCenterCrop = true
        processor.cropSize = 0
        #expect(throws: ImageError.self) { try processor.preprocess([images[0]]) }
        processor.doCenterCrop = false
        processor.size = .exact(PixelSize(height: -1, width: 5))
        #expect(throws: ImageError.self) { try processor.preprocess([images[0]]) }
    }

    @Test(
        .tags(.unit),
        arguments: [
            (#"{"resample": 1}"#, "resample"), (#"{"size": {"shortest_edge": "a"}}"#, "size"),
            (#"{"size": {"shortest_edge": 2, "longest_edge": 3}}"#, "size"),
            (#"{"size": {"depth": 2}}"#, "size"), (#"{"image_mean": "grey"}"#, "image_mean"),
            (#"{"do_resize": "yes"}"#, "do_resize"),
        ]
    )
    func refusesWhatIsNoProcessor(text: String, word: String) throws {
        let json = try object(text)
        let error = #expect(throws: CheckpointError.self) { try DeiTImageProcessor(json: json) }
        #expect(error.map { "\($0)".contains(word) } == true)
    }

    private func image(of fixture: Fixture) throws -> Image {
        let shape = try fixture.shape("image")
        try #require(shape.count == 3)
        return try Image(
            height: shape[0],
            width: shape[1],
            channels: shape[2],
            pixels: fixture.integers("image").map { UInt8(truncatingIfNeeded: $0) }
        )
    }

    private func ordered(_ object: JSONObject) -> [String] {
        object.keys.sorted().map { "\($0)=\((object[$0] ?? .null).text(isIndented: false))" }
    }
}

/// Reaches a deprecated name without the warning, which is an error in this package.
private protocol NamesExtractor { static var extractor: Any.Type { get } }

private enum OldName: NamesExtractor {
    @available(*, deprecated) static var extractor: Any.Type { DeiTFeatureExtractor.self }
}
