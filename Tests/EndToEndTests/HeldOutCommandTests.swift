import Foundation
import TestSupport
import Testing

/// A run's own held-out images are found again however the data and the model are named.
@Suite(.serialized, .tags(.endToEnd)) struct HeldOutCommandTests {
    private static let own = "using the 4 images that the model's run held out"

    private func evaluate(
        _ model: String,
        _ data: String,
        in folder: URL,
        _ more: [String] = []
    ) async throws -> CommandResult {
        try await DeitCommand.run(["evaluate", model, "--data", data] + more, in: folder)
    }

    /// Images without parts in `data/CLASS`, and a run in `run` that held 4 of 40 out.
    private func withRun(_ body: (URL) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeFolders(
                to: folder.appending(path: "made"),
                classes: ["ant", "bee"],
                train: 20,
                validation: 0
            )
            let files = FileManager.default
            try files.moveItem(
                at: folder.appending(path: "made/train"),
                to: folder.appending(path: "data")
            )
            let trained = try await DeitCommand.run(
                ["train"] + TinyRun.options + [
                    "--epochs", "1", "--data", "data", "--output", "run",
                ],
                in: folder
            )
            #expect(trained.code == 0, "\(trained.errors)")
            try await body(folder)
        }
    }

    @Test func theHeldOutShareIsMeasuredWhateverThePath() async throws {
        try await withRun { folder in
            let files = FileManager.default
            try files.createDirectory(
                at: folder.appending(path: "deep/er"),
                withIntermediateDirectories: true
            )
            try files.createSymbolicLink(
                atPath: folder.appending(path: "link").path,
                withDestinationPath: "data"
            )
            try files.createSymbolicLink(
                atPath: folder.appending(path: "link-to-best").path,
                withDestinationPath: "run/checkpoints/best"
            )
            let here: [(String, String)] = [
                ("run", "data"), ("run", "./data/"), ("run", "deep/../data"), ("run", "link"),
                ("run", folder.appending(path: "data").path), ("link-to-best", "data"),
                ("run/checkpoints/best", "data"),
                ("run/checkpoints/best/model.safetensors", "data"),
            ]
            let bare = ["--preset", "deit_nano_distilled_patch4_28"]
            for (model, data) in here {
                let isFile = model.hasSuffix(".safetensors")
                // A file alone may lack what else its folder tells; which images are measured is known all the same.
                let result = try await evaluate(model, data, in: folder, isFile ? bare : [])
                #expect(result.errors.contains(Self.own), "\(model) \(data): \(result.errors)")
            }
            let deep = folder.appending(path: "deep/er")
            let other = try await evaluate("../../run", "../../data", in: deep)
            #expect(other.code == 0 && other.output.contains("of 4"), "\(other.errors)")
            #expect(other.errors.contains(Self.own))
            // Moved, both of them, and the checkpoint without its run.
            try files.moveItem(
                at: folder.appending(path: "data"),
                to: folder.appending(path: "moved")
            )
            try files.moveItem(
                at: folder.appending(path: "run/checkpoints/best").resolvingSymlinksInPath(),
                to: folder.appending(path: "alone")
            )
            let moved = try await evaluate("alone", "moved", in: folder, ["--json"])
            #expect(moved.code == 0 && moved.errors.contains(Self.own), "\(moved.errors)")
            #expect(moved.output.contains("\"count\":4"))
        }
    }

    @Test func convertedModelsAndIndicesKeepTheShare() async throws {
        try await withRun { folder in
            for form in ["timm", "hf"] {
                let made = try await DeitCommand.run(
                    ["convert", "run", "--to", form, "--output", form],
                    in: folder
                )
                #expect(made.code == 0, "\(made.errors)")
                let result = try await evaluate(form, "data", in: folder)
                #expect(result.errors.contains(Self.own), "\(form): \(result.errors)")
                let again = try await DeitCommand.run(
                    ["convert", form, "--to", form, "--output", "\(form)-again"],
                    in: folder
                )
                #expect(again.code == 0, "\(again.errors)")
                let twice = try await evaluate("\(form)-again", "data", in: folder)
                #expect(twice.errors.contains(Self.own), "\(form): \(twice.errors)")
            }
            let file = try await DeitCommand.run(
                ["convert", "run", "--to", "pth", "--output", "bare.pth"],
                in: folder
            )
            #expect(file.code == 0 && file.errors.contains("cannot record"), "\(file.errors)")
            let index = try await DeitCommand.run(
                ["index", "run", "--data", "data", "--output", "an.index"],
                in: folder
            )
            #expect(index.output.contains("36 images of 2 classes"), "\(index.errors)")
            let own = try await evaluate("an.index", "data", in: folder)
            #expect(own.code == 0 && own.output.contains("4 images against 36"), "\(own.errors)")
            #expect(
                own.errors.contains(Self.own) && !own.output.contains("does not vote for itself")
            )
            for flag in ["--knn", "--linear"] {
                let result = try await evaluate("timm", "data", in: folder, [flag])
                #expect(result.code == 0 && result.errors.contains(Self.own), "\(result.errors)")
                #expect(result.output.contains("36"))
            }
            let report = try await evaluate("hf", "data", in: folder, ["--report", "report"])
            #expect(report.code == 0 && report.output.contains("of 4"), "\(report.errors)")
        }
    }

    /// Other images held out than those of the run that the weights come from: some of them were learned from.
    @Test func fineTuningWarnsOfImagesThatWereLearnedFrom() async throws {
        try await withRun { folder in
            for (seed, warns) in [("9", true), ("0", false)] {
                let result = try await DeitCommand.run(
                    [
                        "finetune", "run", "--data", "data", "--output", "run-\(seed)", "--epochs",
                        "1",
                        "--warmup-epochs", "0", "--batch", "8", "--seed", seed,
                    ],
                    in: folder
                )
                #expect(result.code == 0, "\(result.errors)")
                let warning = "validation images were training images of run, so"
                #expect(result.errors.contains(warning) == warns, "\(result.errors)")
                if warns { #expect(result.errors.contains("--seed 0 --val-fraction 0.1")) }
            }
        }
    }

    @Test func otherImagesAreToldFrom() async throws {
        try await withRun { folder in
            // One image more: which were held out cannot be told any more.
            try TinyData.png(TinyData.pixels(label: 0, index: 99))
                .write(to: folder.appending(path: "data/ant/99.png"))
            let result = try await evaluate("run", "data", in: folder)
            #expect(result.code == 0 && result.output.contains("of 41"), "\(result.errors)")
            #expect(result.errors.contains("warning: the model's run held out 10 % of its images"))
        }
    }

    @Test func anIndexLeavesAnImageOutOfItsOwnVote() async throws {
        try await withRun { folder in
            let data = folder.appending(path: "sets")
            try TinyData.writeFolders(to: data, classes: ["ant", "bee"], train: 5, validation: 0)
            let all = "sets/train"
            let model = ["index", "run/checkpoints/best", "--data", all, "--output", "i"]
            #expect(try await DeitCommand.run(model, in: folder).code == 0)
            let itself = try await evaluate("i", all, in: folder, ["--json"])
            #expect(itself.output.contains("\"left_out\":10"), "\(itself.output) \(itself.errors)")
            let told = try await evaluate("i", all, in: folder)
            #expect(told.output.contains("10 of the 10 are also among the 10"))
            // The same images in another folder, under other names.
            let files = FileManager.default
            for name in ["ant", "bee"] {
                try files.createDirectory(
                    at: folder.appending(path: "copies/\(name)"),
                    withIntermediateDirectories: true
                )
                for index in 0..<5 {
                    try files.copyItem(
                        at: folder.appending(path: "\(all)/\(name)/\(index).png"),
                        to: folder.appending(path: "copies/\(name)/copy-\(index).png")
                    )
                }
            }
            let copies = try await evaluate("i", "copies", in: folder, ["--json"])
            #expect(copies.output.contains("\"left_out\":10"), "\(copies.output)")
            let added = try await DeitCommand.run(["index", "i", "--add", "copies"], in: folder)
            #expect(added.output.contains("0 added; 10 images"), "\(added.output)")
            #expect(added.errors.contains("skipped 10 images"))
            try files.createDirectory(
                at: folder.appending(path: "both"),
                withIntermediateDirectories: true
            )
            for part in ["train", "val"] {
                try files.copyItem(
                    at: folder.appending(path: all),
                    to: folder.appending(path: "both/\(part)")
                )
            }
            let overlap = try await evaluate("run", "both", in: folder, ["--knn"])
            #expect(overlap.output.contains("does not vote for itself"), "\(overlap.errors)")
            let linear = try await evaluate("run", "both", in: folder, ["--linear"])
            #expect(linear.output.contains("top-1 is too high"), "\(linear.errors)")
        }
    }
}
