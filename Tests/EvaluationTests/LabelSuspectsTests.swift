import Checkpoints
import Datasets
import Evaluation
import Foundation
import ImagePipeline
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// Labels that neighbours contradict, on images of two kinds.
@ModelActor @Suite struct LabelSuspectsTests {
    private func makeModel(in folder: URL) throws -> LoadedModel {
        try manualSeed(7)
        let configuration = ModelConfiguration.visionTransformer(
            ViTConfiguration(
                imageHeight: 8,
                imageWidth: 8,
                patchSize: 4,
                inChannels: 1,
                numClasses: 2,
                embedDim: 16,
                depth: 1,
                numHeads: 2,
                isDistilled: false,
                layerNormEps: 1e-6
            )
        )
        let model = try configuration.makeModel()
        for (_, parameter) in model.namedParameters() {
            try parameter.tensor.fillNormal(mean: 0, std: 0.5)
        }
        let description = ModelDescription(
            configuration: configuration,
            processor: try .whole(height: 8, width: 8, channels: 1, mean: [0.5], std: [0.25]),
            labels: ClassLabels(names: ["x", "y"])
        )
        let path = folder.appending(path: "model").path
        try ModelDirectory.save(model, description, to: path)
        return try ModelDirectory.load(path)
    }

    /// IDX files of images that are dark (0) or bright (1) on the left.
    private func write(_ labels: [Int], kinds: [Int], to folder: URL) throws {
        var pixels: [UInt8] = []
        for (index, kind) in kinds.enumerated() {
            for place in 0..<64 {
                let isLeft = place % 8 < 4
                pixels.append(
                    UInt8((isLeft == (kind == 1) ? 200 : 30) + (index * 7 + place * 3) % 20)
                )
            }
        }
        func header(_ rank: UInt8, _ sizes: [Int]) -> [UInt8] {
            [0, 0, 8, rank] + sizes.flatMap { [0, 0, UInt8($0 >> 8), UInt8($0 & 255)] }
        }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(header(3, [kinds.count, 8, 8]) + pixels)
            .write(to: folder.appending(path: "train-images-idx3-ubyte"))
        try Data(header(1, [labels.count]) + labels.map { UInt8($0) })
            .write(to: folder.appending(path: "train-labels-idx1-ubyte"))
    }

    @Test(arguments: [1, 7, 64]) func findsTheLabelsThatWereChanged(_ batch: Int) async throws {
        try await withTemporaryFolder { folder in
            let kinds = (0..<40).map { $0 % 2 }
            var labels = kinds
            for wrong in [5, 22] { labels[wrong] = 1 - labels[wrong] }
            let data = folder.appending(path: "data")
            try write(labels, kinds: kinds, to: data)
            var report = try await DataCheck(path: data.path, workers: 2).run()
            let loaded = try makeModel(in: folder)
            var done = 0
            let found = try await LabelSuspects(neighbours: 8).find(
                in: report,
                with: loaded,
                batch: batch
            ) { done = $0 }
            #expect(done == 40)
            #expect(found.allSatisfy { $0.kind == .labelSuspect })
            #expect(found.compactMap { $0.images.first?.index }.sorted() == [5, 22])
            for finding in found {
                let index = try #require(finding.images.first?.index)
                #expect(
                    finding.detail.contains(
                        "labelled \(labels[index]); its neighbours say \(kinds[index])"
                    )
                )
                // The neighbours that speak against the label come with it.
                #expect(finding.images.count == 4)
                #expect(
                    finding.images.dropFirst().allSatisfy { labels[$0.index] == kinds[index] }
                )
            }
            report.add(found)
            #expect(report.findings(of: .labelSuspect) == found)
            let none = try await LabelSuspects(neighbours: 8, agreement: 1.01).find(
                in: report,
                with: loaded
            )
            #expect(none.isEmpty)
        }
    }
}
