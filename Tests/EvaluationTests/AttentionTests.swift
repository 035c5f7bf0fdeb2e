import Checkpoints
import Foundation
import ImagePipeline
import Inference
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

@testable import Evaluation

/// Maps, rollout, sizes and images of attention.
@ModelActor @Suite struct AttentionTests {
    private func model(isDistilled: Bool, in folder: URL) throws -> LoadedModel {
        try manualSeed(3)
        let configuration = ModelConfiguration.visionTransformer(
            ViTConfiguration(
                imageHeight: 16,
                imageWidth: 16,
                patchSize: 4,
                inChannels: 3,
                numClasses: 2,
                embedDim: 16,
                depth: 3,
                numHeads: 2,
                isDistilled: isDistilled,
                layerNormEps: 1e-6
            )
        )
        return try save(configuration, in: folder)
    }

    private func save(_ configuration: ModelConfiguration, in folder: URL) throws -> LoadedModel {
        let model = try configuration.makeModel()
        for (_, parameter) in model.namedParameters() {
            try parameter.tensor.fillNormal(mean: 0, std: 0.3)
        }
        let description = ModelDescription(
            configuration: configuration,
            processor: try .whole(
                height: 16,
                width: 16,
                channels: 3,
                mean: [0.5, 0.5, 0.5],
                std: [0.25, 0.25, 0.25]
            ),
            labels: ClassLabels(names: ["a", "b"])
        )
        let path = folder.appending(path: "model").path
        try ModelDirectory.save(model, description, to: path)
        return try ModelDirectory.load(path)
    }

    private func image(_ height: Int, _ width: Int, channels: Int = 3) throws -> Image {
        try Image(
            height: height,
            width: width,
            channels: channels,
            pixels: (0..<(height * width * channels)).map { UInt8(truncatingIfNeeded: $0 * 7919) }
        )
    }

    @Test(arguments: [false, true]) func everyTokenHasMaps(isDistilled: Bool) throws {
        try withTemporaryFolder { folder in
            let loaded = try model(isDistilled: isDistilled, in: folder)
            let reader = try AttentionReader(loaded)
            #expect(reader.block == 3)
            let images = try Tensor(
                (0..<(3 * 16 * 24)).map { Float($0 * 7919 % 97) / 50 - 1 },
                shape: [1, 3, 16, 24]
            )
            let reading = try reader(images)
            #expect(reading.grid == PatchGrid(height: 4, width: 6))
            #expect(reading.tokens.map(\.name) == (isDistilled ? [.cls, .dist] : [.cls]))
            #expect(reading.features.shape == [24, 16] && reading.keys.shape == [24, 16])
            #expect(reading.logits.count == 2)
            // Against the weights that the network itself returns.
            let network = try #require(loaded.model as? VisionTransformer)
            let outputs = try withoutGradient {
                try network.outputs(images, OutputRequest(attentions: true), resampling: .timm)
            }
            let last = try #require(outputs.attentions.last)
            let prefix = isDistilled ? 2 : 1
            for (place, token) in reading.tokens.enumerated() {
                try #require(token.heads.count == 2)
                for head in 0..<2 {
                    let row = try last.selected(0, 0).selected(0, head).selected(0, place)
                        .narrowed(0, prefix..<(prefix + 24)).floats()
                    expectClose(token.heads[head].values, row, tolerance: 1e-6)
                }
                let rollout = try #require(token.rollout)
                let sum = rollout.values.reduce(0, +)
                #expect(sum > 0 && sum < 1, "the rollout also reaches the tokens themselves")
            }
        }
    }

    @Test func refusesWhatHasNoAttention() throws {
        try withTemporaryFolder { folder in
            let preset = try #require(
                ModelRegistry.presets.first {
                    $0.configuration.network is ResNetConfiguration
                }
            )
            if var configuration = preset.configuration.network as? ResNetConfiguration {
                configuration.numClasses = 2
                let convNet = try save(.resNet(configuration), in: folder)
                #expect(throws: InferenceError.self) { try AttentionReader(convNet) }
            }
        }
        try withTemporaryFolder { folder in
            let loaded = try model(isDistilled: false, in: folder)
            for block in [0, 4, -1] {
                #expect(throws: InferenceError.self) { try AttentionReader(loaded, block: block) }
            }
        }
    }

    @Test func rolloutRowsSumToOne() throws {
        let weights = try Tensor(
            (0..<(2 * 5 * 5)).map { Float(($0 * 31) % 17) / 17 + 0.01 },
            shape: [2, 5, 5]
        )
        for fusion in AttentionRollout.Fusion.allCases {
            for discard in [0, 0.5, 0.95] {
                let rollout = try AttentionRollout(fusion: fusion, discardRatio: discard)
                let matrix = try rollout.matrix(weights)
                let rows = try rollout([matrix, matrix], tokens: 0..<2)
                let sums = try rows.sum([1]).floats()
                expectClose(sums, [1, 1], tolerance: 1e-6)
            }
        }
        #expect(throws: EvaluationError.self) { try AttentionRollout(residual: 1) }
        #expect(throws: EvaluationError.self) { try AttentionRollout(discardRatio: -0.1) }
        #expect(throws: EvaluationError.self) { try AttentionRollout(discardRatio: .nan) }
        #expect(throws: TorchError.self) { try AttentionRollout.paper([], tokens: 0..<1) }
    }

    @Test func masksKeepTheShare() throws {
        let grid = PatchGrid(height: 2, width: 2)
        let map = try AttentionMap([0.1, 0.4, 0.2, 0.3], grid: grid)
        #expect(map.mask(keeping: 0.6) == [false, true, false, true])
        #expect(map.mask(keeping: 1) == [true, true, true, true])
        #expect(map.mask(keeping: 0.01) == [false, true, false, false])
        let none = try AttentionMap([0, 0, 0, 0], grid: grid)
        #expect(none.mask(keeping: 0.6) == [false, false, false, false])
        #expect(throws: EvaluationError.self) { try AttentionMap([1, 2, 3], grid: grid) }
    }

    @Test func sizesAreWholePatchesWithinMemory() throws {
        let configuration = ViTConfiguration(layerNormEps: 1e-6)
        let all = ViewingSize(.own, for: configuration, memoryLimit: 1 << 31)
        let own = try all(height: 375, width: 500)
        #expect(own == (368, 496, false))
        let small = try all(height: 28, width: 56)
        #expect(small == (224, 448, false), "small images are enlarged to the model's size")
        let large = try all(height: 4000, width: 3000)
        #expect(large.isShrunk && large.height % 16 == 0 && large.width % 16 == 0)
        #expect(large.height * large.width > 500 * 500)
        let patches = large.height * large.width / 256
        #expect(ViewingSize.bytes(patches, configuration) <= 1 << 31)
        let tall = try all(height: 100_000_000, width: 1)
        #expect(tall.width == 16 && tall.height > 0)

        let asked = ViewingSize(.shorterSide(480), for: configuration, memoryLimit: 1 << 31)
        #expect(try asked(height: 375, width: 500) == (480, 640, false))
        let exact = ViewingSize(
            .exact(height: 100, width: 7),
            for: configuration,
            memoryLimit: 1 << 31
        )
        #expect(try exact(height: 375, width: 500) == (96, 16, false))
        let tooMuch = ViewingSize(.shorterSide(1_000_000), for: configuration, memoryLimit: 1 << 31)
        #expect(throws: EvaluationError.self) { try tooMuch(height: 375, width: 500) }
    }

    @Test func quantilesAreThoseOfNumPy() {
        #expect(ValueRange.quantile([1, 2, 4, 8], 0.5) == 3)
        #expect(abs(ValueRange.quantile([1, 2, 4, 8], 0.9) - 6.8) < 1e-12)
        #expect(ValueRange.quantile([], 0.5) == 0)
        let range = ValueRange(of: [.nan, 3, 1, 2], lower: 0, upper: 1)
        #expect(range == ValueRange(low: 1, high: 3))
        #expect(range.place(of: 2) == 0.5 && range.place(of: .nan) == 0 && range.place(of: 9) == 1)
        #expect(ValueRange(low: 1, high: 1).place(of: 1) == 0)
    }

    @Test func componentsOfFlatData() throws {
        // Points on a line: one direction, and a sign that does not depend on the order.
        let line = (0..<10).flatMap { [Float($0) * 3, -Float($0) * 4] }
        let components = try PrincipalComponents(of: Tensor(line, shape: [10, 2]))
        try #require(components.components.count == 1)
        let direction = components.components[0].map { Float($0) }
        expectClose(direction, [-0.6, 0.8], tolerance: 1e-6)
        let equal = try PrincipalComponents(of: Tensor.ones([5, 4]))
        #expect(equal.components.isEmpty)
        #expect(try equal.project(Tensor.ones([5, 4])).isEmpty)
        let one = try PrincipalComponents(of: Tensor.ones([1, 4]))
        #expect(one.components.isEmpty)
    }

    @Test func galleryWritesWhatItTells() throws {
        try withTemporaryFolder { folder in
            let loaded = try model(isDistilled: true, in: folder)
            let reader = try AttentionReader(loaded)
            let size = ViewingSize(.own, for: reader.configuration, memoryLimit: 1 << 30)
            let viewer = try ImageViewer(reader, Predictor(loaded), size: size)
            let path = folder.appending(path: "out").path
            let output = try OutputFolder(path, overwrites: false)
            let gallery = AttentionGallery(viewer, try AttentionDrawing(), in: output)
            // Grey, tiny, wide.
            try gallery.add(image(3, 5, channels: 1), file: "in/a b.png")
            let entry = try gallery.add(image(40, 20), file: "other/a b.jpg")
            let more = try gallery.finish(model: "<model>")
            #expect(more == ["overview.png", "index.html"])
            #expect(entry.files.first { $0.name == "sheet" }?.path == "a b-2/sheet.png")
            // Two tokens with mean, rollout and two heads, three files each; image, features, sheet.
            #expect(entry.files.count == 2 * 4 * 3 + 3)
            for (_, file) in entry.files {
                let image = try Image(contentsOf: "\(path)/\(file)")
                if !file.hasSuffix("sheet.png") {
                    #expect(image.height == 400 && image.width == 200, "\(file)")
                }
            }
            let page = try String(contentsOfFile: "\(path)/index.html", encoding: .utf8)
            #expect(page.contains("&lt;model&gt;") && page.contains("a%20b-2/cls-mean.png"))
            #expect(throws: EvaluationError.notEmpty(path: path)) {
                try OutputFolder(path, overwrites: false)
            }
        }
    }

    /// The class beside maps of the whole image is that of `deit classify`, which crops.
    @Test func theCaptionIsWhatClassifySays() async throws {
        try await withTemporaryFolder { folder in
            for isDistilled in [false, true] {
                let name = folder.appending(path: "\(isDistilled)")
                try FileManager.default.createDirectory(at: name, withIntermediateDirectories: true)
                var loaded = try model(isDistilled: isDistilled, in: name)
                loaded = loaded.with(
                    try loaded.description.processor.with(
                        resize: .shortestSide(24),
                        crop: ImageSize(height: 16, width: 16)
                    )
                )
                let reader = try AttentionReader(loaded)
                let size = ViewingSize(.own, for: reader.configuration, memoryLimit: 1 << 30)
                let viewer = try ImageViewer(reader, Predictor(loaded), size: size)
                let images = try [image(20, 60), image(64, 24), image(16, 16)]
                var said: [ImagePrediction.Class] = []
                try await Predictor(loaded).classify(
                    ImageFileList(images.map { .bytes(try $0.encodedPNG(), name: "an image") }),
                    top: 1
                ) { result in
                    if case .prediction(let prediction) = result { said += prediction.predictions }
                }
                try #require(said.count == images.count)
                for (image, expected) in zip(images, said) {
                    let guess = try #require(try viewer.guess(of: image))
                    #expect(guess.label == expected.label)
                    #expect(abs(guess.score - expected.score) < 1e-5)
                }
                let other = try AttentionReader(loaded, block: 1)
                let early = try ImageViewer(other, Predictor(loaded), size: size)
                #expect(try early.guess(of: images[0]) == nil)
                // One row would become a million columns: as in `deit classify`, no image at all.
                let thin = try Image(
                    height: 1,
                    width: 20_000,
                    channels: 3,
                    pixels: [UInt8](repeating: 7, count: 60_000)
                )
                let wide = ViewingSize(
                    .shorterSide(160),
                    for: reader.configuration,
                    memoryLimit: .max
                )
                #expect(throws: ImageError.self) {
                    try ImageViewer(reader, Predictor(loaded), size: wide).look(at: thin)
                }
            }
        }
    }

    @Test func framesShareTheirColours() throws {
        try withTemporaryFolder { folder in
            let loaded = try model(isDistilled: false, in: folder)
            let reader = try AttentionReader(loaded)
            let size = ViewingSize(.own, for: reader.configuration, memoryLimit: 1 << 30)
            let viewer = try ImageViewer(reader, Predictor(loaded), size: size)
            let path = folder.appending(path: "out").path
            let sequence = AttentionSequence(
                viewer,
                try AttentionDrawing(),
                in: try OutputFolder(path, overwrites: false)
            )
            let same = try image(16, 16)
            let frames = [same, try image(24, 16), same]
            for frame in frames { try sequence.gather(frame) }
            for (i, frame) in frames.enumerated() {
                try sequence.draw(frame, file: "\(i)", of: frames.count)
            }
            _ = try sequence.finish(model: "m")
            for kind in ["cls-mean", "cls-head-1-overlay", "features", "cls-rollout-mask"] {
                let files = try (1...3).map {
                    try Data(contentsOf: URL(filePath: "\(path)/\(kind)/00000\($0).png"))
                }
                #expect(files[0] == files[2] && files[0] != files[1], "\(kind)")
            }
        }
    }

    @Test func framesAreSortedByNumber() {
        let names = ["f-10.png", "f-2.png", "f-02.png", "f-1.png", "e-100.png", "f-.png"]
        #expect(
            FrameOrder.sorted(names)
                == ["e-100.png", "f-.png", "f-1.png", "f-02.png", "f-2.png", "f-10.png"]
        )
    }
}
