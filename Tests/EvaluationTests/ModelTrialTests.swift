import Checkpoints
import Foundation
import ImagePipeline
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

@testable import Evaluation

/// `deit doctor` shows a model two images: what its preprocessing makes of them must be what it takes.
@ModelActor @Suite struct ModelTrialTests {
    private func save(
        _ processor: ImageProcessor,
        classes: Int = 2,
        breaking: Bool = false,
        in folder: URL
    ) throws -> String {
        let configuration = ModelConfiguration.visionTransformer(
            ViTConfiguration(
                imageHeight: 16,
                imageWidth: 32,
                patchSize: 8,
                inChannels: processor.channels,
                numClasses: classes,
                embedDim: 16,
                depth: 1,
                numHeads: 2,
                layerNormEps: 1e-6
            )
        )
        let model = try configuration.makeModel()
        if breaking {
            // Every number is finite, what becomes of them is not.
            for (name, parameter) in model.namedParameters() where name.hasPrefix("head") {
                try parameter.tensor.fill(3e38)
            }
        }
        let path = folder.appending(path: UUID().uuidString).path
        try ModelDirectory.save(
            model,
            ModelDescription(
                configuration: configuration,
                processor: processor,
                labels: ClassLabels(placeholders: classes)
            ),
            to: path
        )
        return path
    }

    private func processor(
        _ resize: ResizeRule,
        crop: (height: Int, width: Int)?,
        channels: Int = 3
    ) throws -> ImageProcessor {
        try ImageProcessor(
            resize: resize,
            cropHeight: crop?.height,
            cropWidth: crop?.width,
            channels: channels,
            mean: Array(repeating: 0.5, count: channels),
            std: Array(repeating: 0.5, count: channels)
        )
    }

    private func diagnosis(of path: String) async throws -> Diagnosis {
        var diagnosis = try Diagnosis.examine(path)
        #expect(diagnosis.isSound, "the files alone tell nothing")
        await diagnosis.tryOut(path)
        return diagnosis
    }

    @Test func inputsThatTheModelCannotTakeAreFaults() async throws {
        try await withTemporaryFolder { folder in
            let wrong: [ImageProcessor] = try [
                // No crop, so that the input has the image's shape.
                processor(.shortestSide(16), crop: nil), processor(.none, crop: nil),
                // Another size, the right one turned, and one that is right in one direction only.
                processor(.exact(height: 32, width: 32), crop: nil),
                processor(.exact(height: 32, width: 16), crop: nil),
                processor(.shortestSide(16), crop: (16, 16)),
            ]
            for processor in wrong {
                for classes in [2, 0] {
                    let path = try save(processor, classes: classes, in: folder)
                    let diagnosis = try await diagnosis(of: path)
                    #expect(!diagnosis.isSound, "\(processor.resize)")
                    let text = try #require(diagnosis.findings.last?.text)
                    #expect(text.contains("rejects") && text.contains("--crop-mode center"))
                }
            }
            let path = try save(
                processor(.exact(height: 16, width: 32), crop: nil),
                breaking: true,
                in: folder
            )
            let findings = try await diagnosis(of: path).findings
            #expect(findings.contains { $0.text.contains("not finite") }, "\(findings)")
        }
    }

    @Test func soundModelsStaySound() async throws {
        try await withTemporaryFolder { folder in
            let right: [ImageProcessor] = try [
                processor(.exact(height: 16, width: 32), crop: nil),
                processor(.cover(height: 18, width: 36), crop: (16, 32)),
                processor(.contain(height: 16, width: 32), crop: (16, 32)),
                processor(.shortestSide(16), crop: (16, 32)),
                processor(.exact(height: 16, width: 32), crop: nil, channels: 1),
            ]
            for processor in right {
                for classes in [2, 0] {
                    let path = try save(processor, classes: classes, in: folder)
                    let diagnosis = try await diagnosis(of: path)
                    #expect(diagnosis.isSound, "\(diagnosis.findings)")
                    #expect(diagnosis.facts.contains { $0.name == "tried out" })
                }
            }
        }
    }
}
