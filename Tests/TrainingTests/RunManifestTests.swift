import Datasets
import Foundation
import ImagePipeline
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
            kernels: (.oneDNN, .libtorch, .vectors, .fused, .fused),
            dtype: .fp32,
            threads: 2,
            counts: (100, 10),
            classNames: ["0", "T-shirt/top", "yes", "ähre"],
            fingerprint: "1f",
            freshWeights: ["dist_token"],
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

    /// A run of a version that turned no image goes on so, whatever form its file has; a new one says what it does.
    @Test func filesWithoutAnOrientationSawImagesAsStored() throws {
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "run.yaml").path
            let yaml = try manifest().yaml()
            try yaml.write(toFile: path, atomically: true, encoding: .utf8)
            let read = try RunManifest.read(path)
            #expect(read.options.exifOrientation)
            #expect(throws: OptionError.self) {
                try read.resumedOptions([("exif_orientation", "off")])
            }
            let old = yaml.replacing("  exif_orientation: on\n", with: "")
            try #require(old != yaml)
            try old.write(toFile: path, atomically: true, encoding: .utf8)
            #expect(try !RunManifest.read(path).options.exifOrientation)
        }
    }

    /// What `sgd` meant and how an average began before the third form; the run goes on so.
    @Test(arguments: ["format: 2", "format: 3"])
    func optimiserAndAverageMeanWhatTheyMeantThen(form: String) throws {
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "run.yaml").path
            var manifest = manifest()
            manifest.options.optimizer = .sgd
            let lines = try manifest.yaml().split(separator: "\n").filter { line in
                form == "format: 3" || !line.contains("ema_warmup")
            }
            let text = lines.joined(separator: "\n").replacing("format: 3", with: form)
            try #require(text.contains(form))
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            let options = try RunManifest.read(path).options
            let isNow = form == "format: 3"
            #expect(options.optimizer == (isNow ? .sgd : .momentum))
            #expect(options.usesNesterov == isNow)
            #expect(options.emaWarmup == (isNow ? .off : .tensorflow))
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
        let classNames = manifest().classNames
        func data(_ count: Int, _ classNames: [String], firstLabel: Int = 0) -> NamedSamples {
            NamedSamples(
                names: (0..<count).map { "folder/\($0).png" },
                classNames: classNames,
                labels: [firstLabel] + Array(repeating: 0, count: count - 1)
            )
        }
        let own = data(100, classNames)
        var manifest = manifest()
        manifest.fingerprint = nil
        // Files of earlier versions have no fingerprint.
        try manifest.checkData(train: data(100, classNames), validation: 10, run: "run")
        manifest.fingerprint = own.fingerprint
        var moved = own
        moved.names = own.names.map { "elsewhere/\($0)" }
        try manifest.checkData(train: moved, validation: 10, run: "run")
        var swapped = own
        swapped.names.swapAt(3, 4)
        for other in [
            data(99, classNames), data(100, ["0"]), swapped, data(100, classNames, firstLabel: 1),
        ] {
            #expect(throws: TrainingError.self) {
                try manifest.checkData(train: other, validation: 10, run: "run")
            }
        }
        #expect(throws: TrainingError.self) {
            try manifest.checkData(train: own, validation: 9, run: "run")
        }
    }
}

/// Images that have names and labels, and nothing else.
private struct NamedSamples: ImageDataset {
    var names: [String]
    var classNames: [String]
    var labels: [Int]
    var count: Int { names.count }
    func label(at index: Int) -> Int { labels[index] }
    func name(at index: Int) -> String { names[index] }
    func image(at index: Int) throws(ImageError) -> Image {
        try Image(height: 1, width: 1, channels: 1, pixels: [0])
    }
}
