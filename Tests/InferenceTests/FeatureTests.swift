import Checkpoints
import Datasets
import Foundation
import ImagePipeline
import Inference
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// Features of small models, and the files that hold them.
@ModelActor @Suite struct FeatureTests {
    func makeModel(
        _ configuration: ModelConfiguration,
        labels: ClassLabels = ClassLabels(names: ["a", "b", "c"]),
        in folder: URL
    ) throws -> LoadedModel {
        try manualSeed(7)
        let description = ModelDescription(
            configuration: configuration,
            processor: try .whole(height: 8, width: 8, channels: 1, mean: [0.5], std: [0.25]),
            labels: labels
        )
        let model = try configuration.makeModel()
        for (_, parameter) in model.namedParameters() {
            try parameter.tensor.fillNormal(mean: 0, std: 0.5)
        }
        let path = folder.appending(path: "model").path
        try ModelDirectory.save(model, description, to: path)
        return try ModelDirectory.load(path, options: LoadOptions(relaxations: .noHead))
    }

    func transformer(isDistilled: Bool, classes: Int = 3) -> ModelConfiguration {
        .visionTransformer(
            ViTConfiguration(
                imageHeight: 8,
                imageWidth: 8,
                patchSize: 4,
                inChannels: 1,
                numClasses: classes,
                embedDim: 16,
                depth: 3,
                numHeads: 2,
                isDistilled: isDistilled,
                layerNormEps: 1e-6
            )
        )
    }

    /// Different images: noise that the index seeds.
    func images(_ count: Int) throws -> Tensor {
        let values = (0..<(count * 64)).map { Float(($0 * 7919) % 256) / 64 - 2 }
        return try Tensor(values, shape: [count, 1, 8, 8])
    }

    @Test(arguments: [false, true]) func tokensAreThoseOfTheNetwork(isDistilled: Bool) throws {
        try withTemporaryFolder { folder in
            let loaded = try makeModel(transformer(isDistilled: isDistilled), in: folder)
            let network = try #require(loaded.model as? VisionTransformer)
            let prefix = isDistilled ? 2 : 1
            let tokens: [FeatureRequest.Token] =
                [.mean, .patch, .cls] + (isDistilled ? [.dist] : [])
            let extractor = try FeatureExtractor(Predictor(loaded), FeatureRequest(tokens: tokens))
            #expect(extractor.columns.map(\.token) == tokens)
            let last = try withoutGradient {
                try network.forwardFeatures(images(2)).floats()
            }
            let arrays = try extractor(images(2))
            try #require(arrays.count == tokens.count && last.count == 2 * (prefix + 4) * 16)
            func token(_ image: Int, _ place: Int) -> [Float] {
                let start = (image * (prefix + 4) + place) * 16
                return Array(last[start..<(start + 16)])
            }
            for image in 0..<2 {
                let patches = (0..<4).map { token(image, prefix + $0) }
                let mean = (0..<16).map { i in patches.reduce(0) { $0 + $1[i] } / 4 }
                var expected = [mean, patches.flatMap { $0 }, token(image, 0)]
                if isDistilled { expected.append(token(image, 1)) }
                for (index, column) in extractor.columns.enumerated() {
                    let range = (image * column.count)..<((image + 1) * column.count)
                    let difference = describeDifference(
                        Array(arrays[index][range]),
                        expected[index],
                        tolerance: 1e-6
                    )
                    #expect(difference == nil, "\(column.name): \(difference ?? "")")
                }
            }
        }
    }

    /// The last of several blocks stands at the end, and every vector is scaled as a whole.
    @Test func blocksAndLengths() throws {
        try withTemporaryFolder { folder in
            let loaded = try makeModel(transformer(isDistilled: false), in: folder)
            let one = try FeatureExtractor(Predictor(loaded), FeatureRequest())
            let three = try FeatureExtractor(
                Predictor(loaded),
                FeatureRequest(tokens: [.cls], blocks: 3)
            )
            #expect(one.columns[0].length == 16 && three.columns[0].length == 48)
            let (short, long) = (try one(images(2))[0], try three(images(2))[0])
            for image in 0..<2 {
                let range = (image * 48 + 32)..<(image * 48 + 48)
                #expect(Array(long[range]) == Array(short[(image * 16)..<(image * 16 + 16)]))
            }
            for tokens in [[FeatureRequest.Token.cls], [.patch]] {
                let request = FeatureRequest(tokens: tokens, blocks: 2, isNormalized: true)
                let scaled = try FeatureExtractor(Predictor(loaded), request)(images(2))[0]
                #expect(scaled.count % 32 == 0)
                for start in stride(from: 0, to: scaled.count, by: 32) {
                    let square = scaled[start..<(start + 32)].reduce(0) { $0 + $1 * $1 }
                    #expect(abs(square - 1) < 1e-5)
                }
            }
        }
    }

    @Test func residualNetworksHaveTheirMean() throws {
        try withTemporaryFolder { folder in
            let configuration = ModelConfiguration.resNet(
                ResNetConfiguration(
                    block: .basic,
                    stem: .cifar,
                    layers: [1, 1],
                    widths: [4, 6],
                    inChannels: 1,
                    numClasses: 3,
                    imageSize: 8
                )
            )
            let loaded = try makeModel(configuration, in: folder)
            let network = try #require(loaded.model as? ResNet)
            let extractor = try FeatureExtractor(Predictor(loaded), FeatureRequest())
            #expect(extractor.columns.map(\.length) == [6])
            let expected = try withoutGradient {
                try network.forwardFeatures(images(2)).mean([2, 3]).floats()
            }
            #expect(try extractor(images(2)) == [expected])
            for request in [FeatureRequest(tokens: [.cls]), FeatureRequest(blocks: 2)] {
                #expect(throws: InferenceError.self) {
                    try FeatureExtractor(Predictor(loaded), request)
                }
            }
        }
    }

    @Test func whatTheModelDoesNotHaveIsRefused() throws {
        try withTemporaryFolder { folder in
            let loaded = try makeModel(transformer(isDistilled: false), in: folder)
            for request in [
                FeatureRequest(tokens: [.dist]), FeatureRequest(tokens: [.cls, .cls]),
                FeatureRequest(blocks: 4), FeatureRequest(blocks: 0), FeatureRequest(blocks: -1),
            ] {
                #expect(throws: InferenceError.self) {
                    try FeatureExtractor(Predictor(loaded), request)
                }
            }
        }
    }

    @Test func aModelWithoutClassifierHasFeaturesOnly() async throws {
        try await withTemporaryFolder { folder in
            let configuration = transformer(isDistilled: true, classes: 0)
            let labels = ClassLabels(placeholders: 0)
            let loaded = try makeModel(configuration, labels: labels, in: folder)
            #expect(loaded.model.numClasses == 0)
            let request = FeatureRequest(tokens: [.cls, .dist])
            let arrays = try FeatureExtractor(Predictor(loaded), request)(images(2))
            #expect(arrays.map(\.count) == [32, 32] && arrays[0] != arrays[1])
            let error = await #expect(throws: InferenceError.self) {
                try await Predictor(loaded).classify(ImageFileList([]), top: 1)
            }
            #expect(error?.description.contains("deit features") == true)
        }
    }

    /// The same features through all three kinds of files, with an image that cannot be read left out.
    @Test func filesHoldTheSame() async throws {
        try await withTemporaryFolder { folder in
            let loaded = try makeModel(transformer(isDistilled: false), in: folder)
            let data = LevelDataset(levels: [3, 255, 99, 180], labels: [2, 0, 1, 2])
            let request = FeatureRequest(tokens: [.cls, .mean], blocks: 2)
            let extractor = try FeatureExtractor(Predictor(loaded), request)
            var files: [FeatureFormat: URL] = [:]
            var open: [FeatureFile] = []
            for format in FeatureFormat.allCases {
                let url = folder.appending(path: "features.\(format.rawValue)")
                files[format] = url
                open.append(
                    try FeatureFile(
                        path: url.path,
                        format: format,
                        columns: extractor.columns,
                        description: .init(
                            model: "model",
                            request: request,
                            classNames: data.classNames
                        )
                    )
                )
            }
            let loader = try DataLoader(
                dataset: data,
                transform: loaded.description.processor,
                plan: EpochPlan(count: data.count, batchSize: 2, shuffles: false),
                policy: .drop(limit: 1)
            )
            // One pass for all files: a second one may run on other kernels, which a test beside this one has chosen for the
            // process, and round otherwise.
            var batches = loader.batches().makeAsyncIterator()
            while let batch = try await batches.next(isolation: #isolation) {
                let arrays = try extractor(batch)
                let names = batch.indices.map { data.name(at: $0) }
                for file in open { try file.append(arrays, names: names, labels: batch.labels) }
            }
            for file in open {
                #expect(file.count == 3)
                try file.finish()
            }
            let fixture = try Fixture(try #require(files[.safetensors]))
            #expect(fixture.names == ["cls", "labels", "mean"])
            #expect(try fixture.shape("cls") == [3, 32] && fixture.shape("mean") == [3, 32])
            #expect(try fixture.integers("labels") == [2, 1, 2])
            let names = "[\"level-0\",\"level-2\",\"level-3\"]"
            #expect(fixture.metadata["files"] == names)
            #expect(fixture.metadata["classes"] == "[\"a\",\"b\",\"c\"]")
            #expect(fixture.metadata["tokens"] == "cls,mean" && fixture.metadata["blocks"] == "2")
            let (cls, mean) = (try fixture.floats("cls"), try fixture.floats("mean"))
            try #require(cls.count == 96 && mean.count == 96)
            let rows = (0..<3).map { row in
                Array(cls[(row * 32)..<(row * 32 + 32)] + mean[(row * 32)..<(row * 32 + 32)])
            }
            try expectNumPy(try #require(files[.npy]), rows)
            try expectCSV(try #require(files[.csv]), rows)
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(left.count == 5, "\(left)")
        }
    }

    private func expectNumPy(_ url: URL, _ rows: [[Float]]) throws {
        let bytes = [UInt8](try Data(contentsOf: url))
        try #require(bytes.count > 128)
        #expect(Array(bytes[..<8]) == [0x93] + Array("NUMPY".utf8) + [1, 0])
        let start = 10 + Int(bytes[8]) + Int(bytes[9]) << 8
        #expect(start % 64 == 0 && bytes[start - 1] == 0x0A)
        let header = String(decoding: bytes[10..<start], as: UTF8.self)
        #expect(
            header.hasPrefix("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 64), }")
        )
        try #require(bytes.count == start + 3 * 64 * 4)
        let values = (0..<192).map { index in
            Float(
                bitPattern: (0..<4).reduce(0) {
                    $0 | UInt32(bytes[start + 4 * index + $1]) << (8 * UInt32($1))
                }
            )
        }
        #expect(values == rows.flatMap { $0 })
        let list = try String(contentsOfFile: url.path + ".files.csv", encoding: .utf8)
        #expect(list == "file,label,class\nlevel-0,2,c\nlevel-2,1,b\nlevel-3,2,c\n")
    }

    private func expectCSV(_ url: URL, _ rows: [[Float]]) throws {
        let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
            .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        try #require(lines.count == 4 && lines.allSatisfy { $0.count == 67 })
        #expect(lines[0][3] == "cls.0" && lines[0][66] == "mean.31")
        #expect(lines[2].prefix(3) == ["level-2", "1", "b"])
        #expect(lines[1...].map { $0[3...].compactMap { Float($0) } } == rows)
    }

    @Test func formatsRefuseWhatTheyCannotHold() throws {
        #expect(FeatureFormat(path: "a/b.NPY") == .npy && FeatureFormat(path: "x.txt") == nil)
        #expect(FeatureFormat(path: "npy") == nil)
        try withTemporaryFolder { folder in
            let loaded = try makeModel(transformer(isDistilled: false), in: folder)
            @ModelActor func columns(_ tokens: [FeatureRequest.Token]) throws -> [FeatureColumn] {
                try FeatureExtractor(Predictor(loaded), FeatureRequest(tokens: tokens)).columns
            }
            #expect(throws: InferenceError.self) {
                try FeatureFormat.npy.check(columns([.cls, .patch]))
            }
            #expect(throws: InferenceError.self) { try FeatureFormat.csv.check(columns([.patch])) }
            #expect(throws: Never.self) { try FeatureFormat.npy.check(columns([.patch])) }
            #expect(throws: Never.self) {
                try FeatureFormat.safetensors.check(columns([.cls, .patch, .mean]))
            }
            #expect(throws: CheckpointError.self) {
                try FeatureFile(
                    path: folder.appending(path: "nowhere/f.csv").path,
                    format: .csv,
                    columns: columns([.cls]),
                    description: .init(model: "", request: FeatureRequest())
                )
            }
        }
    }

    @Test func namesWithCommasAreQuoted() throws {
        try withTemporaryFolder { folder in
            let loaded = try makeModel(transformer(isDistilled: false), in: folder)
            let columns = try FeatureExtractor(Predictor(loaded), FeatureRequest()).columns
            let path = folder.appending(path: "f.csv").path
            let file = try FeatureFile(
                path: path,
                format: .csv,
                columns: columns,
                description: .init(model: "", request: FeatureRequest())
            )
            let zeros = [Float](repeating: 0, count: 16)
            try file.append([zeros], names: ["a, \"b\".jpg"], labels: [0])
            #expect(throws: CheckpointError.self) {
                try file.append([zeros], names: ["two", "names"], labels: [0, 0])
            }
            try file.finish()
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(text.split(separator: "\n")[1].hasPrefix("\"a, \"\"b\"\".jpg\",0.0,"))
        }
    }
}

/// DeiT-Tiny's features of a photograph, compared with timm's.
@ModelActor
@Suite(
    .tags(.parity),
    .needsShared("data/deit_tiny_patch16_224.safetensors", "data/imagenet-500")
)
struct FeatureParityTests {
    @Test func equalTimm() async throws {
        let folder = try #require(Bundle.module.resourceURL?.appending(path: "Fixtures"))
        let fixture = try Fixture(folder.appending(path: "features.safetensors"))
        let image = try #require(
            Checkout.sharedFile("data/imagenet-500/n01440764/n01440764_tench.JPEG")
        ).path
        let loaded = try ModelDirectory.load(
            try #require(Checkout.sharedFile("data/deit_tiny_patch16_224.safetensors")).path
        )
        let result = try loaded.description.processor(
            Image(contentsOf: image, options: DecodingOptions(channels: 3))
        )
        let images = try Tensor(result.values, shape: [1, 3, result.height, result.width])
        func features(_ request: FeatureRequest) throws -> [[Float]] {
            try FeatureExtractor(Predictor(loaded), request)(images)
        }
        let arrays = try features(FeatureRequest(tokens: [.cls, .mean, .patch], blocks: 4))
        try #require(arrays.map(\.count) == [768, 768, 196 * 768])
        let indices = Fixture.sampleIndices(count: arrays[2].count, limit: 2048)
        for (name, values) in [
            ("cls", arrays[0]), ("mean", arrays[1]), ("patch", indices.map { arrays[2][$0] }),
            ("last.cls", try features(FeatureRequest(isNormalized: true))[0]),
        ] {
            let expected = try fixture.floats(name)
            try #require(values.count == expected.count, "\(name)")
            // Absolute, as the numbers are published. Not a number is never close.
            let far = values.indices.filter { !(abs(values[$0] - expected[$0]) <= 1e-4) }
            #expect(
                far.isEmpty,
                "\(name): \(far.count) of \(values.count) differ, first at \(far[0])"
            )
        }
    }
}
