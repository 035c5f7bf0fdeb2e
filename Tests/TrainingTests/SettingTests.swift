import Checkpoints
import Datasets
import Foundation
import ImagePipeline
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

@testable import Training

/// What follows from a setting's declaration alone.
@Suite struct SettingTests {
    @Test func everyDeclarationIsComplete() {
        let names = Settings.all.flatMap { [$0.key] + $0.otherKeys }
        #expect(names.count > 100)
        #expect(Set(names).count == names.count)
        for setting in Settings.all {
            #expect(!setting.methods.isEmpty, "\(setting.key)")
            for method in setting.methods {
                let help = setting.help(of: method)
                #expect(help.count > 10 && help.hasSuffix("."), "\(setting.key)")
            }
            #expect(!setting.placeholder.isEmpty && !setting.expected.isEmpty, "\(setting.key)")
        }
        for method in TrainingMethod.allCases {
            #expect(TrainingOptions.defaults(of: method).method == method)
        }
    }

    /// Other values than a method's defaults for all that it has.
    private func changed(_ method: TrainingMethod) throws -> TrainingOptions {
        let standard = TrainingOptions.defaults(of: method)
        var options = standard
        for setting in Settings.of(method) where setting.key != Settings.declared.method.key {
            let texts =
                ["some: text", "7", "0.5", "0.25", "0.3,0.7", "0,0", "30m"] + setting.choices
            _ = texts.first { text in
                setting.read(text, into: &options) && !setting.isEqual(options, standard)
            }
            try #require(!setting.isEqual(options, standard), "\(setting.key)")
        }
        return options
    }

    private func manifest(_ options: TrainingOptions) -> RunManifest {
        RunManifest(
            toolVersion: "1",
            libtorchVersion: "2",
            started: "now",
            recipe: "mine",
            options: options,
            kernels: (.libtorch, .libtorch, .libtorch, .layers, .layers),
            dtype: .fp32,
            threads: 1,
            counts: (1, 1),
            classNames: ["a"],
            facts: []
        )
    }

    @Test(arguments: TrainingMethod.allCases)
    func runYAMLKeepsEveryValue(method: TrainingMethod) throws {
        let options = try changed(method)
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "run.yaml").path
            try manifest(options).yaml().write(toFile: path, atomically: true, encoding: .utf8)
            let read = try RunManifest.read(path).options
            for setting in Settings.all {
                #expect(setting.isEqual(read, options), "\(setting.key)")
            }
            #expect(read == options)
        }
        let data = try JSONEncoder().encode(options)
        #expect(try JSONDecoder().decode(TrainingOptions.self, from: data) == options)
    }

    /// Runs of versions that called it so go on.
    @Test func aFormerKeyIsRead() throws {
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "run.yaml").path
            var options = TrainingOptions.defaults(of: .mim)
            options.shownImages = 3
            let yaml = try manifest(options).yaml()
            let old = yaml.replacing("shown_images: 3", with: "shown_pictures: 3")
            try #require(old != yaml)
            try old.write(toFile: path, atomically: true, encoding: .utf8)
            #expect(try RunManifest.read(path).options == options)
        }
    }

    @Test func aResumedRunMayChangeNoResult() throws {
        for method in TrainingMethod.allCases {
            let changed = try changed(method)
            let free = Settings.of(method).filter { setting in
                let text = setting.text(in: changed)
                let manifest = manifest(.defaults(of: method))
                return (try? manifest.resumedOptions([(setting.key, text)])) != nil
            }
            let everywhere: Set = [
                "data", "workers", "checkpoint_interval", "keep_last", "skip_limit", "device",
            ]
            let others: Set<String> =
                method == .supervised
                ? ["teacher", "finetune", "cache_teacher", "cache_limit"] : ["init"]
            // `method` is what it was.
            #expect(Set(free.map(\.key)) == everywhere.union(others).union(["method"]))
        }
    }
}

/// The key of kept teacher answers is another one wherever the images are other ones.
@ModelActor @Suite(.serialized) struct TeacherKeyTests {
    /// The images behind the slots of a file of answers, and the file's key.
    private struct Shown {
        var slots: [[Int]: [Float]] = [:]
        let key: TeacherCacheKey
    }

    private func shown(_ texts: [(key: String, text: String)], in folder: URL) async throws -> Shown
    {
        let options = try TinySession(folder: folder).options(.supervised, texts, output: folder)
        let data = try RunData(options)
        let names = data.classNames
        let student =
            try options.finetune.isEmpty
            ? ClassifierFactory.description(options, classNames: names)
            : FineTuning.description(options, classNames: names)
        let transform = try Augmentation.transform(
            options,
            student.configuration,
            student.processor
        )
        let plan = RunPlan(
            options: options,
            trainCount: data.train.count,
            imagesPerEpoch: data.imagesPerEpoch,
            validationCount: data.validation.count,
            classNames: names,
            parameterCount: 1,
            policy: ComputePolicy(),
            workers: 1
        )
        var shown = Shown(
            key: TeacherCacheKey(
                plan,
                student: student,
                teacher: Fingerprint(),
                data: TeacherCacheKey.fingerprint(of: data.train)
            )
        )
        let loader = try data.trainingLoader(transform, attempt: 0)
        for epoch in 0..<options.epochs {
            let drawn = plan.augmentationEpoch(epoch)
            var step = 0
            for try await batch in loader.batches(epoch: drawn) {
                shown.slots[[drawn, step]] = batch.pixels
                step += 1
            }
        }
        return shown
    }

    /// For every option a change of it: where other images come, the key differs, and the option says that it changes
    /// them.
    @Test func otherImagesHaveAnotherKey() async throws {
        try await withTemporaryFolder { folder in
            try await TinySession(folder: folder).prepare()
            var seen: Set<String> = []
            for effect in OptionEffects.of(.supervised) {
                if case .failure = effect.sign { continue }
                if case .elsewhere = effect.sign { continue }
                let setting = try #require(Settings.named(effect.key))
                let before = try await shown(effect.with, in: folder)
                let others = effect.with.filter { $0.key != effect.key }
                let after = try await shown(others + [(effect.key, effect.text)], in: folder)
                let isOther = before.slots.contains { slot, pixels in
                    after.slots[slot].map { $0 != pixels } ?? false
                }
                if isOther {
                    seen.insert(effect.key)
                    #expect(setting.effect == .pixels, "\(effect.key) changes pixels")
                    #expect(before.key != after.key, "\(effect.key) is not in the key")
                }
            }
            // What is held by its text shows in some row; of the others the key holds more than the images need.
            for setting in TeacherCacheKey.settings {
                #expect(seen.contains(setting.key), "\(setting.key) changes no pixels")
            }
            #expect(
                seen.isSuperset(of: [
                    "data", "size", "in_chans", "batch", "val_fraction", "sampler",
                ])
            )
        }
    }

    @Test func everySettingOfPixelsIsInTheKey() async throws {
        let keys = Set(TeacherCacheKey.settings.map(\.key))
        for setting in Settings.of(.supervised) where setting.effect == .pixels {
            #expect(keys.contains(setting.key) != setting.isDerivedInTeacherKey, "\(setting.key)")
        }
        #expect(keys.isSuperset(of: ["seed", "flip", "mixup", "repeated_aug"]))
    }
}
