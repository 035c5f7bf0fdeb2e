import Foundation
import TestSupport
import Testing

/// `deit evaluate` as a user and a program meet it.
@Suite(.serialized, .tags(.endToEnd)) struct EvaluateTests {
    private static let classes = ["ant", "bee", "cat", "dog"]

    /// Calls `body` with a folder that holds images in `data` and a run of two epochs in `run`.
    private func withRun(_ body: (URL) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appending(path: "data")
            try TinyData.writeFolders(to: data, classes: Self.classes, train: 12, validation: 5)
            let result = try await DeitCommand.run(
                ["train"] + TinyRun.options + [
                    "--epochs", "2", "--data", "data", "--output", "run",
                ],
                in: folder
            )
            #expect(result.code == 0, "\(result.errors)")
            try await body(folder)
        }
    }

    /// The numbers of a report; `classes` is the only entry that is none.
    private func object(_ text: String) throws -> [String: Double] {
        let json = try JSONSerialization.jsonObject(with: Data(text.utf8))
        var object = try #require(json as? [String: Any])
        let classes = try #require(object.removeValue(forKey: "classes") as? [[String: Any]])
        #expect(!classes.isEmpty && classes.allSatisfy { $0["support"] is Int })
        return try #require(object as? [String: Double])
    }

    @Test func measuresWhatTheRunLearnt() async throws {
        try await withRun { folder in
            try await measures(in: folder)
            try await writesAReport(in: folder)
            try await leavesOutWhatCannotBeRead(in: folder)
            try await refusesWhatDoesNotFit(in: folder)
        }
    }

    private func measures(in folder: URL) async throws {
        let json = try await DeitCommand.run(
            ["evaluate", "run", "--data", "data", "--json"],
            in: folder
        )
        #expect(json.code == 0 && json.errors.isEmpty, "\(json.errors)")
        #expect(json.output.split(separator: "\n").count == 1)
        let report = try object(json.output)
        #expect(
            Set(report.keys) == [
                "top1", "top5", "loss", "count", "images_per_second", "balanced_accuracy",
                "macro_f1", "ece", "cls_top1", "dist_top1", "cls_dist_agreement",
            ]
        )
        #expect(report["count"] == 20 && report["top5"] == 1)
        // The run measured its best checkpoint on the same images.
        let records = try TinyRun(folder: folder.appending(path: "run")).records()
        let best = records.compactMap { $0["best_top1"] as? Double }.last
        let top1 = try #require(report["top1"])
        #expect(abs(top1 - (best ?? -1)) < 1e-9)
        for workers in ["1", "3"] {
            let again = try await DeitCommand.run(
                [
                    "evaluate", "run/checkpoints/best", "--data", "data/val", "--json", "--workers",
                    workers,
                ],
                in: folder
            )
            var other = try object(again.output)
            other["images_per_second"] = report["images_per_second"]
            #expect(other == report)
        }
        let table = try await DeitCommand.run(["evaluate", "run", "--data", "data"], in: folder)
        #expect(table.code == 0 && table.output.contains("of 20") && table.output.contains("top-5"))
        let rows = table.output.split(separator: "\n").map { $0.split(separator: " ") }
        #expect(rows.contains(["class", "precision", "recall", "F1", "support"]))
        #expect(rows.suffix(4).map { $0.first.map(String.init) } == Self.classes)
        #expect(rows.suffix(4).allSatisfy { $0.last == "5" })
    }

    private func writesAReport(in folder: URL) async throws {
        let result = try await DeitCommand.run(
            ["evaluate", "run", "--data", "data", "--report", "reports/first", "--json"],
            in: folder
        )
        #expect(result.code == 0, "\(result.errors)")
        let scalars = try object(result.output)
        func text(_ name: String) throws -> String {
            try String(contentsOf: folder.appending(path: "reports/first/\(name)"), encoding: .utf8)
        }
        let report = try #require(
            JSONSerialization.jsonObject(with: Data(text("report.json").utf8)) as? [String: Any]
        )
        for key in ["top1", "ece", "cls_dist_agreement", "balanced_accuracy", "macro_f1"] {
            #expect(report[key] as? Double == scalars[key], "\(key)")
        }
        #expect((report["calibration"] as? [Any])?.count == 15)
        #expect(
            (report["classes"] as? [[String: Any]])?.map { $0["class"] as? String } == Self.classes
        )
        let predictions = try text("predictions.csv").split(separator: "\n")
        #expect(predictions.count == 21)
        #expect(
            predictions[0]
                == "file,class,prediction,confidence,right,rank,cls_prediction,dist_prediction"
        )
        #expect(predictions[1].contains("val/ant/0.png,ant,"))
        let right = predictions.dropFirst().count { $0.split(separator: ",")[4] == "1" }
        #expect(abs(Double(right) / 20 - (scalars["top1"] ?? -1)) < 1e-9)
        #expect(try text("confusion.csv").split(separator: "\n").count == 5)
        let perClass = try text("per-class.csv").split(separator: "\n")
        #expect(perClass.count == 5)
        #expect(
            perClass[0].hasPrefix("class,support,predicted,right,precision,recall,f1,mistaken_for,")
        )
        let page = try text("report.html")
        for part in ["<td>ant</td><td>5</td>", "macro F1", "confusion.png"] {
            #expect(page.contains(part), "\(part)")
        }
        for name in ["confusion.png", "calibration.png"] {
            let bytes = try Data(contentsOf: folder.appending(path: "reports/first/\(name)"))
            #expect(Array(bytes.prefix(4)) == [0x89, 0x50, 0x4E, 0x47])
        }
        let refused = try await DeitCommand.run(
            ["evaluate", "run", "--data", "data", "--report", "run/run.yaml"],
            in: folder
        )
        refused.expectRefusal(1, saying: "run/run.yaml")
    }

    private func leavesOutWhatCannotBeRead(in folder: URL) async throws {
        let bad = folder.appending(path: "data/val/bee/broken.png")
        try Data("no image".utf8).write(to: bad)
        defer { try? FileManager.default.removeItem(at: bad) }
        let arguments = ["evaluate", "run", "--data", "data", "--json"]
        let result = try await DeitCommand.run(arguments, in: folder)
        #expect(result.code == 0)
        #expect(try object(result.output)["count"] == 20)
        #expect(
            result.errors.contains("skipped 1 image") && result.errors.contains("broken.png")
        )
        try await DeitCommand.run(arguments + ["--skip-limit", "0"], in: folder)
            .expectRefusal(65, saying: "broken.png")
    }

    private func refusesWhatDoesNotFit(in folder: URL) async throws {
        let data = folder.appending(path: "other")
        try TinyData.writeFolders(
            to: data,
            classes: ["ant", "yak", "zebu"],
            train: 1,
            validation: 1
        )
        try await DeitCommand.run(["evaluate", "run", "--data", "other"], in: folder)
            .expectRefusal(65, saying: "yak, zebu", "ant, bee, cat, dog")
        try await DeitCommand.run(["evaluate", "run", "--data", "none"], in: folder)
            .expectRefusal(65, saying: "no data at none")
        try await DeitCommand.run(["evaluate", "data", "--data", "data"], in: folder)
            .expectRefusal(65, saying: "neither a model", "nor a run")
        try await DeitCommand.run(
            ["evaluate", "run", "--data", "data", "--size", "16"],
            in: folder
        )
        .expectRefusal(64, saying: "8 × 8", "--resample")
        let larger = try await DeitCommand.run(
            ["evaluate", "run", "--data", "data", "--json", "--size", "16", "--resample", "timm"],
            in: folder
        )
        #expect(larger.code == 0, "\(larger.errors)")
        #expect(try object(larger.output)["count"] == 20)
        try await DeitCommand.run(
            ["evaluate", "run", "--data", "data", "--resample", "timm"],
            in: folder
        )
        .expectRefusal(64, saying: "--size")
        try await DeitCommand.run(
            ["evaluate", "run", "--data", "data", "--batch", "0"],
            in: folder
        )
        .expectRefusal(64, saying: "--batch")
        try await DeitCommand.run(
            ["evaluate", "run", "--data", "data", "--dtype", "fp8"],
            in: folder
        )
        .expectRefusal(64, saying: "fp8", "bf16")
        let subset = folder.appending(path: "subset")
        try TinyData.writeFolders(to: subset, classes: ["bee", "dog"], train: 1, validation: 3)
        let part = try await DeitCommand.run(
            ["evaluate", "run", "--data", "subset", "--json"],
            in: folder
        )
        #expect(try object(part.output)["count"] == 6)
    }
}
