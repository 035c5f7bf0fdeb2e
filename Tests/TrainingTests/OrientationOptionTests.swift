import Checkpoints
import Foundation
import ImagePipeline
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

@testable import Training

/// `exif_orientation` reaches all that reads images, in every method.
@Suite struct OrientationOptionTests {
    private func options(
        _ upright: Bool?,
        of method: TrainingMethod = .supervised
    ) throws -> TrainingOptions {
        var options = TrainingOptions.defaults(of: method)
        options.method = method
        options.model = "deit_nano_patch4_28"
        if let upright {
            try options.set("exif-orientation", to: upright ? "on" : "off", source: "a test")
        }
        return options
    }

    @Test(arguments: [nil, true, false])
    func trainingAndValidation(_ upright: Bool?) throws {
        let expected = upright ?? true
        let options = try options(upright)
        for size in [28, 112] {
            var options = options
            options.size = size
            let description = try ClassifierFactory.description(options, classNames: ["a", "b"])
            #expect(description.processor.appliesOrientation == expected)
            let transform = try Augmentation.transform(
                options,
                description.configuration,
                description.processor
            )
            #expect(transform.appliesOrientation == expected)
        }
    }

    @Test(arguments: [nil, true, false])
    func pretraining(_ upright: Bool?) throws {
        let expected = upright ?? true
        let dino = try options(upright, of: .dino)
        let description = try DINONetworks.description(dino)
        #expect(description.processor.appliesOrientation == expected)
        #expect(try DINOSession.crops(dino, description).appliesOrientation == expected)
        let masked = try MIMSession.description(options(upright, of: .mim)).0
        #expect(masked.processor.appliesOrientation == expected)
        for method in [TrainingMethod.supervised, .dino, .mim] {
            #expect(Settings.of(method).contains { $0.key == "exif_orientation" })
        }
    }

    /// The option of a new run goes before what the checkpoint was trained with.
    @ModelActor @Test func fineTuning() throws {
        try withTemporaryFolder { folder in
            for before in [true, false] {
                let path = folder.appending(path: "\(before)").path
                var description = try ClassifierFactory.description(
                    options(before),
                    classNames: ["a", "b"]
                )
                description.processor = description.processor.seeing(upright: before)
                try ModelDirectory.save(
                    description.configuration.makeModel(),
                    description,
                    to: path
                )
                for upright in [nil, true, false] {
                    var options = try options(upright)
                    options.finetune = path
                    options.model = TrainingOptions.modelOfCheckpoint
                    let found = try FineTuning.description(options, classNames: ["c"])
                    #expect(found.processor.appliesOrientation == upright ?? true)
                }
            }
        }
    }

    /// Answers to turned images are not those to the same images as stored; files of versions that turned none stay
    /// of use to runs that turn none.
    @Test func teachersAnswersAreTold() throws {
        func key(_ upright: Bool) throws -> TeacherCacheKey {
            let options = try options(upright)
            let plan = RunPlan(
                options: options,
                trainCount: 64,
                imagesPerEpoch: 64,
                validationCount: 2,
                classNames: ["a", "b"],
                parameterCount: 1,
                policy: ComputePolicy(),
                workers: 1
            )
            return TeacherCacheKey(
                plan,
                student: try ClassifierFactory.description(options, classNames: plan.classNames),
                teacher: Fingerprint(),
                data: Fingerprint()
            )
        }
        let (on, off) = try (key(true), key(false))
        #expect(on != off && on.path(for: "kept/") != off.path(for: "kept/"))
        #expect(on.differences(from: off).contains { $0.contains("exif_orientation") })
        #expect(off.options["exif_orientation"] == nil)
    }
}
