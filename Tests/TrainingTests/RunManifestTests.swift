import Foundation
import TestSupport
import Testing
import TorchNN

@testable import Training

@Suite struct RunManifestTests {
    private func manifest() -> RunManifest {
        var options = TrainingOptions()
        options.data = "a folder: with #signs"
        options.clipGrad = 1
        options.lr = 1e-3 / 3
        return RunManifest(
            toolVersion: "0.1.0",
            libtorchVersion: "2.13.0",
            started: "2026-01-01T00:00:00Z",
            recipe: "mine",
            options: options,
            kernels: (.oneDNN, .libtorch, .vectors),
            dtype: .fp32,
            threads: 2,
            counts: (100, 10),
            classNames: ["0", "T-shirt/top", "yes", "ähre"],
            facts: [("effective_lr", "1")]
        )
    }

    @Test func readsWhatItWrites() throws {
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "run.yaml").path
            try manifest().yaml().write(toFile: path, atomically: true, encoding: .utf8)
            #expect(try RunManifest.read(path) == manifest())
        }
    }

    /// A run of a version without augmentation resumes without it, whatever the defaults are now.
    @Test func filesWithoutAFormatHaveTheDefaultsOfTheirTime() throws {
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "run.yaml").path
            let newer = [
                "aa:", "mixup:", "cutmix:", "reprob:", "repeated_aug:", "sched_on_updates:",
            ]
            let lines = try manifest().yaml().split(separator: "\n").filter { line in
                let text = line.trimmingCharacters(in: .whitespaces)
                return !text.hasPrefix("format:") && !newer.contains(where: text.hasPrefix)
            }
            try lines.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
            let options = try RunManifest.read(path).options
            #expect(options.aa == nil && options.repeatedAug == nil && options.schedOnUpdates)
            #expect(options.mixup == 0 && options.cutmix == 0 && options.reprob == 0)
            #expect(options.clipGrad == 1)
        }
    }

    @Test func damagedFilesAreRefused() throws {
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "run.yaml").path
            for text in ["", "options: 1", "a: [", "options: {}\ncompute: {}"] {
                try text.write(toFile: path, atomically: true, encoding: .utf8)
                #expect(throws: RunError.self) { try RunManifest.read(path) }
            }
        }
    }

    @Test func resumedRunsKeepTheirOptions() throws {
        let manifest = manifest()
        let kept = try manifest.resumedOptions([
            ("clip-grad", "1"), ("workers", "3"), ("keep_last", "5"),
        ])
        #expect(kept.workers == 3)
        #expect(kept.keepLast == 5)
        #expect(kept.lr == manifest.options.lr)
        for (key, words) in [
            ("epochs", "300 in run.yaml and 9 on the command line|--finetune RUN"),
            ("seed", "leave --seed out|--output"),
        ] {
            let error = #expect(throws: OptionError.self) {
                try manifest.resumedOptions([(key, "9")])
            }
            for word in words.split(separator: "|") {
                #expect(error?.description.contains(word) == true, "\(String(describing: error))")
            }
        }
    }

    @Test func otherDataIsRefused() throws {
        let manifest = manifest()
        try manifest.checkData(
            train: 100,
            validation: 10,
            classNames: manifest.classNames,
            run: "run"
        )
        #expect(throws: TrainingError.self) {
            try manifest.checkData(
                train: 99,
                validation: 10,
                classNames: manifest.classNames,
                run: "run"
            )
        }
        #expect(throws: TrainingError.self) {
            try manifest.checkData(train: 100, validation: 10, classNames: ["0"], run: "run")
        }
    }
}
