import Foundation
import TestSupport
import Testing

/// `deit evaluate` as a user and a program meet it.
@Suite(.serialized, .tags(.endToEnd)) struct EvaluateTests {
    private static let classes = ["ant", "bee", "cat", "dog"]

    /// Calls `body` with a folder that holds pictures in `data` and a run of two epochs in `run`.
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

    private func object(_ text: String) throws -> [String: Double] {
        let json = try JSONSerialization.jsonObject(with: Data(text.utf8))
        return try #require(json as? [String: Double])
    }

    @Test func measuresWhatTheRunLearnt() async throws {
        try await withRun { folder in
            try await measures(in: folder)
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
                "top1", "top5", "loss", "count", "images_per_second", "cls_top1", "dist_top1",
            ]
        )
        #expect(report["count"] == 20 && report["top5"] == 1)
        // The run measured its best checkpoint on the same pictures.
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
    }

    private func leavesOutWhatCannotBeRead(in folder: URL) async throws {
        let bad = folder.appending(path: "data/val/bee/broken.png")
        try Data("no picture".utf8).write(to: bad)
        defer { try? FileManager.default.removeItem(at: bad) }
        let arguments = ["evaluate", "run", "--data", "data", "--json"]
        let result = try await DeitCommand.run(arguments, in: folder)
        #expect(result.code == 0)
        #expect(try object(result.output)["count"] == 20)
        #expect(
            result.errors.contains("left out 1 picture") && result.errors.contains("broken.png")
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
