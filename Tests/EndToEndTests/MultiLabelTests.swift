import Foundation
import TestSupport
import Testing

/// Images with several labels, from a list to predictions, as a user meets them.
@Suite(.serialized, .tags(.endToEnd)) struct MultiLabelTests {
    private static let classes = ["ant", "bee", "cat", "dog"]

    private static let options =
        TinyRun.options + ["--epochs", "3", "--data", "list.csv", "--seed", "1"]

    /// Writes images with a bright row for each of their classes, and lists of them.
    private func writeData(to folder: URL) throws {
        try FileManager.default.createDirectory(
            at: folder.appending(path: "images"),
            withIntermediateDirectories: true
        )
        var rows = ["file,labels,split"]
        var marks = ["file," + Self.classes.joined(separator: ",") + ",split"]
        for index in 0..<64 {
            // Every set of classes four times, the empty one too.
            let labels = (0..<4).filter { index >> $0 & 1 == 1 }
            var pixels = TinyData.pixels(label: 7, index: index)
            for label in 0..<4 {
                for column in 0..<TinyData.side {
                    pixels[label * TinyData.side + column] = labels.contains(label) ? 220 : 20
                }
            }
            let file = "images/\(index).png"
            try TinyData.png(pixels).write(to: folder.appending(path: file))
            let split = index < 48 ? "train" : "val"
            let names = labels.map { Self.classes[$0] }.joined(separator: "|")
            rows.append("\(file),\(names),\(split)")
            let ones = (0..<4).map { labels.contains($0) ? "1" : "0" }.joined(separator: ",")
            marks.append("\(file),\(ones),\(split)")
        }
        for (name, lines) in [("list.csv", rows), ("marks.csv", marks)] {
            try Data(lines.joined(separator: "\n").utf8).write(to: folder.appending(path: name))
        }
    }

    private func object(_ text: String) throws -> [String: Any] {
        let json = try JSONSerialization.jsonObject(with: Data(text.utf8))
        return try #require(json as? [String: Any])
    }

    private func deit(
        _ arguments: [String],
        in folder: URL,
        location: SourceLocation = #_sourceLocation
    ) async throws -> CommandResult {
        let result = try await DeitCommand.run(arguments, in: folder)
        #expect(result.code == 0, "\(result.errors)", sourceLocation: location)
        return result
    }

    @Test func trainsMeasuresClassifiesAndTeaches() async throws {
        try await withTemporaryFolder { folder in
            try writeData(to: folder)
            let run = try await deit(["train"] + Self.options + ["--output", "run"], in: folder)
            #expect(run.output.contains("done: best mAP"), "\(run.output)")
            let thresholds = try await isStored(in: folder)
            try await measures(thresholds, in: folder)
            try await classifies(thresholds, in: folder)
            try await resumes(in: folder)
            try await teaches(in: folder)
            try await refuses(in: folder)
        }
    }

    /// The checkpoint says what the model was trained on, and from which probability classes count.
    private func isStored(in folder: URL) async throws -> [Double] {
        let config = try object(
            String(
                decoding: TinyRun(folder: folder.appending(path: "run"))
                    .data("checkpoints/best/config.json"),
                as: UTF8.self
            )
        )
        #expect(config["problem_type"] as? String == "multi_label_classification")
        let own = try #require(config["swift_deit"] as? [String: Any])
        let thresholds = try #require(own["class_thresholds"] as? [Double])
        #expect(thresholds.count == 4 && thresholds.allSatisfy { $0 > 0 && $0 <= 1 })
        // What a checkpoint says goes with it.
        _ = try await deit(["convert", "run", "--to", "timm", "--output", "converted"], in: folder)
        let converted = try object(
            String(
                contentsOf: folder.appending(path: "converted/config.json"),
                encoding: .utf8
            )
        )
        #expect(converted["problem_type"] as? String == "multi_label_classification")
        let copied = (converted["swift_deit"] as? [String: Any])?["class_thresholds"] as? [Double]
        #expect(copied == thresholds)
        return thresholds
    }

    private func measures(_ thresholds: [Double], in folder: URL) async throws {
        let result = try await deit(
            ["evaluate", "run", "--data", "list.csv", "--json", "--report", "report"],
            in: folder
        )
        let report = try object(result.output)
        let map = try #require(report["map"] as? Double)
        // The run measured its best checkpoint on the same images.
        let records = try TinyRun(folder: folder.appending(path: "run")).records()
        let epochs = records.filter { $0["event"] as? String == "epoch" }
        let best = try #require(epochs.compactMap { $0["best_value"] as? Double }.last)
        #expect(abs(map - best) < 1e-6)
        #expect(
            epochs.allSatisfy { $0["best_metric"] as? String == "map" && $0["val_top1"] == nil }
        )
        #expect(records.allSatisfy { $0["train_top1"] == nil })
        let classes = try #require(report["classes"] as? [[String: Any]])
        #expect(classes.compactMap { $0["class"] as? String } == Self.classes)
        #expect(classes.compactMap { $0["threshold"] as? Double } == thresholds)
        #expect(classes.compactMap { $0["support"] as? Int } == [8, 8, 8, 8])
        for name in ["report.html", "report.json", "per-class.csv", "predictions.csv"] {
            let path = folder.appending(path: "report/\(name)").path
            #expect(FileManager.default.fileExists(atPath: path), "\(name)")
        }
        let predictions = try String(
            contentsOf: folder.appending(path: "report/predictions.csv"),
            encoding: .utf8
        )
        #expect(predictions.split(separator: "\n").count == 17)
        // Another form of the same labels.
        let marks = try await deit(
            ["evaluate", "run", "--data", "marks.csv", "--json"],
            in: folder
        )
        #expect(try object(marks.output)["map"] as? Double == map)
        let table = try await deit(["evaluate", "run", "--data", "list.csv"], in: folder)
        #expect(table.output.hasPrefix("mAP") && table.output.contains("threshold"))
    }

    private func classifies(_ thresholds: [Double], in folder: URL) async throws {
        func predictions(_ flags: [String]) async throws -> [[String: Any]] {
            let result = try await deit(
                ["classify", "run", "images/63.png", "--json"] + flags,
                in: folder
            )
            let json = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
            let images = try #require(json as? [[String: Any]])
            return try #require(images.first?["predictions"] as? [[String: Any]])
        }
        let all = try await predictions(["--top", "4"])
        #expect(all.count == 4)
        let reached = all.filter {
            guard let index = $0["index"] as? Int, let score = $0["score"] as? Double else {
                return false
            }
            #expect($0["threshold"] as? Double == thresholds[index])
            return score >= thresholds[index]
        }
        let found = try await predictions([])
        #expect(
            found.compactMap { $0["index"] as? Int } == reached.compactMap { $0["index"] as? Int }
        )
    }

    /// A run that was stopped and resumed ends as one that was not.
    private func resumes(in folder: URL) async throws {
        let stopped = TinyRun(folder: folder.appending(path: "stopped"))
        try await stopped.trainStopped(["train"], Self.options, after: 8)
        try stopped.expectEqual(TinyRun(folder: folder.appending(path: "run")))
    }

    private func teaches(in folder: URL) async throws {
        var weights: Set<Data> = []
        for (kind, flags) in [
            ("none", []), ("hard", ["--teacher", "run", "--distillation", "hard"]),
            ("soft", ["--teacher", "run", "--distillation", "soft"]),
            ("asl", ["--asymmetric-loss", "on", "--pos-weight", "balanced"]),
        ] {
            _ = try await deit(
                ["finetune", "run", "--data", "marks.csv", "--epochs", "1", "--output", kind]
                    + ["--batch", "16", "--workers", "1", "--threads", "1", "--dtype", "fp32"]
                    + ["--warmup-epochs", "0", "--mixup", "0.8", "--smoothing", "0.1"] + flags,
                in: folder
            )
            let run = TinyRun(folder: folder.appending(path: kind))
            weights.insert(try run.data("checkpoints/last/model.safetensors"))
            let config = String(
                decoding: try run.data("checkpoints/last/config.json"),
                as: UTF8.self
            )
            #expect(config.contains("multi_label_classification"))
        }
        #expect(weights.count == 4)
    }

    private func refuses(in folder: URL) async throws {
        for (flags, words) in [
            (["--sampler", "balanced"], "sampler balanced needs one class an image"),
            (["--best-metric", "balanced-accuracy"], "balanced-accuracy needs one class an image"),
            (["--pos-weight", "1,2"], "pos_weight has 2 numbers"),
        ] {
            try await DeitCommand.run(
                ["train"] + Self.options + flags + ["--output", "no"],
                in: folder
            ).expectRefusal(64, saying: words)
        }
        try await DeitCommand.run(
            ["evaluate", "run", "--data", "list.csv", "--knn"],
            in: folder
        ).expectRefusal(65, saying: "need one class an image")
        try TinyData.writeFolders(
            to: folder.appending(path: "single"),
            classes: Self.classes,
            train: 8,
            validation: 2
        )
        try await DeitCommand.run(
            ["train"] + TinyRun.options + ["--data", "single", "--pos-weight", "2"],
            in: folder
        ).expectRefusal(64, saying: "pos_weight is for images with several labels", "--multi-label")
        try await DeitCommand.run(
            ["train"] + TinyRun.options
                + ["--data", "single", "--teacher", "run", "--distillation", "hard"],
            in: folder
        ).expectRefusal(65, saying: "was trained on another task")
        // Images of one label each, learned as if they could have several.
        _ = try await deit(
            ["train"] + TinyRun.options
                + ["--data", "single", "--multi-label", "on", "--epochs", "1", "--output", "each"],
            in: folder
        )
        _ = try await deit(["evaluate", "each", "--data", "list.csv"], in: folder)
    }
}
