import Checkpoints
import Foundation
import ImagePipeline
import Inference
import TestSupport
import Testing
import Torch
import VisionModels

/// Indices on the disk, and files of features.
@ModelActor @Suite struct NeighbourIndexTests {
    private func makeModel(in folder: URL, seed: UInt64 = 7) throws -> LoadedModel {
        try manualSeed(seed)
        let configuration = ModelConfiguration.visionTransformer(
            ViTConfiguration(
                imageHeight: 8,
                imageWidth: 8,
                patchSize: 4,
                inChannels: 1,
                numClasses: 0,
                embedDim: 4,
                depth: 1,
                numHeads: 2,
                isDistilled: false,
                layerNormEps: 1e-6
            )
        )
        let description = ModelDescription(
            configuration: configuration,
            processor: try .whole(height: 8, width: 8, channels: 1, mean: [0.5], std: [0.25]),
            labels: ClassLabels(names: [])
        )
        let path = folder.appending(path: "model-\(seed)").path
        try ModelDirectory.save(configuration.makeModel(), description, to: path)
        return try ModelDirectory.load(path, options: LoadOptions(relaxations: .noHead))
    }

    private let features = LabelledFeatures(
        values: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0.9, 0.1, 0],
        width: 4,
        labels: [0, 1, 1],
        names: ["ant/1.png", "bee/1.png", "bee/ü \"2\".png"],
        classNames: ["ant", "bee"]
    )

    @Test func `an index is whole, can be moved and takes more classes`() throws {
        try withTemporaryFolder { folder in
            let loaded = try makeModel(in: folder)
            let path = folder.appending(path: "first").path
            let settings = NeighbourIndex.Settings(k: 2, temperature: 0.1)
            let made = try NeighbourIndex.create(at: path, loaded, features, settings)
            #expect(made.features == features && made.settings.k == 2)
            // Without the model that it was made from.
            try FileManager.default.removeItem(at: folder.appending(path: "model-7"))
            let moved = folder.appending(path: "elsewhere").path
            try FileManager.default.moveItem(atPath: path, toPath: moved)
            var index = try NeighbourIndex(path: moved)
            #expect(index.features == features)
            #expect(index.settings == made.settings && index.settings.temperature == 0.1)

            let more = LabelledFeatures(
                values: [0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0.5],
                width: 4,
                labels: [1, 0, 0],
                names: ["cat/1.png", "bee/1.png", "bee/1.png"],
                classNames: ["bee", "cat"]
            )
            // One is there already; one of that name shows something else.
            #expect(try index.add(more).added == 2)
            let reopened = try NeighbourIndex(path: moved)
            #expect(reopened.features == index.features)
            #expect(reopened.features.classNames == ["ant", "bee", "cat"])
            #expect(reopened.features.labels == [0, 1, 1, 2, 1])
            #expect(reopened.features.names.last == "bee/1.png")
            let content = try FileManager.default.contentsOfDirectory(atPath: moved).sorted()
            #expect(content == ["features-2.safetensors", "index.json", "model"])
        }
    }

    @Test func `an addition that was cut off leaves the old index`() throws {
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "index").path
            _ = try NeighbourIndex.create(at: path, makeModel(in: folder), features, .init())
            // Killed after half of the new features.
            try Data([1, 2, 3]).write(to: URL(filePath: "\(path)/features-2.safetensors"))
            var index = try NeighbourIndex(path: path)
            #expect(index.features == features)
            let more = LabelledFeatures(
                values: [0, 0, 1, 0],
                width: 4,
                labels: [0],
                names: ["x"],
                classNames: ["bee"]
            )
            #expect(try index.add(more).added == 1)
            #expect(try NeighbourIndex(path: path).features.count == 4)
        }
    }

    @Test func `what is no index is refused`() throws {
        try withTemporaryFolder { folder in
            let loaded = try makeModel(in: folder)
            let path = folder.appending(path: "images").path
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true
            )
            try Data().write(to: URL(filePath: "\(path)/cat.png"))
            #expect(throws: CheckpointError.self) {
                try NeighbourIndex.create(at: path, loaded, features, .init())
            }
            #expect(FileManager.default.fileExists(atPath: "\(path)/cat.png"))
            #expect(throws: NeighbourError.invalidCount(0)) {
                try NeighbourIndex.create(at: path + "2", loaded, features, .init(k: 0))
            }
            let index = folder.appending(path: "index").path
            _ = try NeighbourIndex.create(at: index, loaded, features, .init())
            // The largest number, which none comes after.
            try FileManager.default.copyItem(
                atPath: "\(index)/features-1.safetensors",
                toPath: "\(index)/features-\(Int.max).safetensors"
            )
            for damage in [
                "{}", "{\"format\": \"other\"}", "[]",
                """
                {"format":"swift-deit neighbour index","format_version":1,"version":\(Int.max),"k":1,
                "temperature":0.07,"tokens":["cls"],"blocks":1,"classes":["ant","bee"]}
                """,
                "{\"format\":\"swift-deit neighbour index\",\"format_version\":2}",
                """
                {"format":"swift-deit neighbour index","format_version":1,"version":1,"k":0,
                "temperature":0.07,"tokens":["cls"],"blocks":1,"classes":["ant","bee"]}
                """,
                """
                {"format":"swift-deit neighbour index","format_version":1,"version":1,"k":1,
                "temperature":0.07,"tokens":["cls"],"blocks":1,"classes":["ant"]}
                """,
            ] {
                try Data(damage.utf8).write(to: URL(filePath: "\(index)/index.json"))
                #expect(throws: CheckpointError.self, "\(damage)") {
                    try NeighbourIndex(path: index)
                }
            }
        }
    }

    @Test func `features of another model or other images are refused`() throws {
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "f.safetensors").path
            let origin = FeatureCache.Origin(model: "m", train: "t", validation: "v")
            try FeatureCache.write(train: features, validation: features, origin, to: path)
            let read = try FeatureCache.read(path, origin)
            let unnamed = LabelledFeatures(
                values: features.values,
                width: 4,
                labels: features.labels,
                classNames: features.classNames
            )
            #expect(read.train == unnamed && read.validation == unnamed)
            for other in [
                FeatureCache.Origin(model: "x", train: "t", validation: "v"),
                FeatureCache.Origin(model: "m", train: "x", validation: "v"),
                FeatureCache.Origin(model: "m", train: "t", validation: "x"),
            ] {
                #expect(throws: CheckpointError.self) { try FeatureCache.read(path, other) }
            }
            try Safetensors.write(
                [(name: "cls", tensor: Tensor([1, 2], shape: [1, 2]))],
                to: path
            )
            #expect(throws: CheckpointError.self) { try FeatureCache.read(path, origin) }
        }
    }

    @Test func `fingerprints tell models and requests apart`() throws {
        try withTemporaryFolder { folder in
            @ModelActor
            func fingerprint(_ model: LoadedModel, _ request: FeatureRequest) throws -> String {
                try FeatureFingerprint.model(Predictor(model), request)
            }
            let (one, other) = (try makeModel(in: folder), try makeModel(in: folder, seed: 8))
            let request = FeatureRequest(tokens: [.cls])
            let all = try [
                fingerprint(one, request), fingerprint(other, request),
                fingerprint(one, FeatureRequest(tokens: [.mean])),
                fingerprint(
                    one.with(.whole(height: 8, width: 8, channels: 1, mean: [0.4], std: [0.25])),
                    request
                ),
                // Turned files have other features.
                fingerprint(
                    one.with(one.description.processor.seeing(upright: false)),
                    request
                ),
            ]
            #expect(Set(all).count == 5 && all.allSatisfy { $0.count == 64 })
            #expect(try fingerprint(one, request) == all[0])
        }
    }
}
