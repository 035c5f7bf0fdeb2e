import Foundation
import TestSupport
import Testing

/// Classification by neighbours as a user meets it: `deit evaluate --knn`, `--linear`, `deit index`.
@Suite(.serialized, .tags(.endToEnd)) struct NeighbourTests {
    @Test func classifiesWithoutTraining() async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appending(path: "data")
            try TinyData.writeFolders(to: data, classes: ["ant", "bee"], train: 8, validation: 3)
            let result = try await deit(
                ["train"] + TinyRun.options + [
                    "--epochs", "1", "--data", "data", "--output", "run",
                ],
                in: folder
            )
            #expect(result.code == 0, "\(result.errors)")
            try await evaluates(in: folder)
            try await reusesFeatures(in: folder)
            try await makesAnIndex(in: folder)
            try await refuses(in: folder)
        }
    }

    private func deit(_ arguments: [String], in folder: URL) async throws -> CommandResult {
        try await DeitCommand.run(arguments, in: folder)
    }

    private func object(_ result: CommandResult) throws -> [String: Any] {
        let json = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
        return try #require(json as? [String: Any], "\(result.errors)")
    }

    private func evaluates(in folder: URL) async throws {
        let start = ["evaluate", "run", "--data", "data"]
        let knn = try await deit(start + ["--knn", "--k", "3,100", "--json"], in: folder)
        #expect(knn.code == 0 && knn.errors.contains("only 15 images"), "\(knn.errors)")
        let report = try object(knn)
        let rows = try #require(report["knn"] as? [[String: Any]])
        // The images of both parts are the same here, and none votes for itself.
        #expect(rows.count == 2 && rows[1]["neighbours"] as? Int == 15)
        #expect(report["left_out"] as? Int == 6)
        // A bar of another row tells these classes apart, and any features of it.
        #expect(rows[0]["top1"] as? Double == 1)
        #expect(report["bank"] as? Int == 16 && report["count"] as? Int == 6)
        let table = try await deit(start + ["--knn", "--k", "3"], in: folder)
        #expect(table.output.contains("100.00 %") && table.output.contains("6 images against 16"))
        let linear = try await deit(
            start + ["--linear", "--blocks", "2", "--tokens", "cls,mean", "--json"],
            in: folder
        )
        let linearReport = try object(linear)
        #expect(linearReport["width"] as? Int == 4 * 64)
        let scores = try #require(linearReport["linear"] as? [String: Any])
        #expect(scores["top1"] as? Double == 1 && scores["converged"] as? Bool == true)
    }

    private func reusesFeatures(in folder: URL) async throws {
        let start = ["evaluate", "run", "--data", "data", "--k", "3", "--knn"]
        let first = try await deit(start + ["--save-features", "f.safetensors"], in: folder)
        #expect(first.code == 0, "\(first.errors)")
        let again = try await deit(start + ["--features", "f.safetensors"], in: folder)
        func lines(_ result: CommandResult) -> [Substring] {
            Array(result.output.split(separator: "\n").prefix(2))
        }
        #expect(again.code == 0 && lines(again) == lines(first), "\(again.errors)")
        try await deit(
            start + ["--features", "f.safetensors", "--tokens", "mean"],
            in: folder
        )
        .expectRefusal(65, saying: "f.safetensors", "another model", "--save-features")
        let extra = folder.appending(path: "data/train/ant/extra.png")
        try TinyData.png(TinyData.pixels(label: 0, index: 99)).write(to: extra)
        try await deit(start + ["--features", "f.safetensors"], in: folder)
            .expectRefusal(65, saying: "other images")
        try FileManager.default.removeItem(at: extra)
    }

    private func makesAnIndex(in folder: URL) async throws {
        let made = try await deit(
            ["index", "run", "--data", "data", "--output", "two.index", "--k", "5"],
            in: folder
        )
        #expect(
            made.code == 0
                && made.output
                    == "two.index: 16 images of 2 classes, 64 numbers each; 5 neighbours vote\n",
            "\(made.errors)"
        )
        let classified = try await deit(
            ["classify", "two.index", "data/val/bee/1.png", "--json"],
            in: folder
        )
        let json = try JSONSerialization.jsonObject(with: Data(classified.output.utf8))
        let image = try #require((json as? [[String: Any]])?.first, "\(classified.errors)")
        let best = try #require((image["predictions"] as? [[String: Any]])?.first)
        #expect(best["label"] as? String == "bee")
        let neighbours = try #require(image["neighbours"] as? [[String: Any]])
        #expect(neighbours.count == 5)
        let name = try #require(neighbours.first?["file"] as? String)
        #expect(name.hasPrefix("train/bee/"))

        // A class that nobody knew before, from a folder without parts.
        for index in 0..<4 {
            let place = folder.appending(path: "more/cow")
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            try TinyData.png(TinyData.pixels(label: 5, index: index))
                .write(to: place.appending(path: "\(index).png"))
        }
        let added = try await deit(["index", "two.index", "--add", "more"], in: folder)
        #expect(
            added.code == 0 && added.output.contains("4 added; 20 images of 3 classes"),
            "\(added.errors)"
        )
        let again = try await deit(["index", "two.index", "--add", "more"], in: folder)
        #expect(again.output.contains("0 added") && again.errors.contains("skipped 4 images"))
        let cow = try await deit(["classify", "two.index", "more/cow/1.png"], in: folder)
        #expect(cow.output.contains("\tcow\n"), "\(cow.errors)")
        let evaluated = try await deit(
            ["evaluate", "two.index", "--data", "data", "--json"],
            in: folder
        )
        let rows = try #require(try object(evaluated)["knn"] as? [[String: Any]])
        #expect(rows.count == 1 && rows[0]["k"] as? Int == 5 && rows[0]["top1"] as? Double == 1)
    }

    private func refuses(in folder: URL) async throws {
        let evaluate = ["evaluate", "run", "--data", "data"]
        for (arguments, words) in [
            (evaluate + ["--knn", "--linear"], ["--knn or --linear"]),
            (evaluate + ["--knn", "--k", "0"], ["--k"]),
            (evaluate + ["--knn", "--k", "5,,6"], ["--k"]),
            (evaluate + ["--k", "5"], ["--knn"]),
            (evaluate + ["--knn", "--temperature", "0"], ["--temperature"]),
            (evaluate + ["--linear", "--inverse-l2", "-1"], ["--inverse-l2"]),
            (evaluate + ["--knn", "--tokens", "patch"], ["patch", "cls, dist, mean"]),
            (evaluate + ["--features", "f"], ["--knn or --linear"]),
            (["index", "run", "--data", "data"], ["--output"]),
            (["index", "run", "--add", "data"], ["not an index", "--output"]),
            (["index", "two.index", "--add", "data", "--k", "2"], ["--add"]),
            (["index", "two.index", "--data", "data", "--output", "x"], ["--add"]),
            (["evaluate", "two.index", "--data", "data", "--linear"], ["index"]),
            (["classify", "two.index", "--mean", "0.1", "more"], ["index", "leave out"]),
        ] {
            let result = try await deit(arguments, in: folder)
            result.expectRefusal(64, saying: words[0])
            for word in words { #expect(result.errors.contains(word), "\(result.errors)") }
        }
        try await deit(["index", "run", "--data", "data", "--output", "more"], in: folder)
            .expectRefusal(1, saying: "more", "exists and is not an index")
        // One class: it can be indexed, but tells nothing apart until there is another.
        let one = try await deit(
            ["index", "run", "--data", "more", "--output", "one.index"],
            in: folder
        )
        #expect(one.code == 0 && one.errors.contains("only one class"), "\(one.errors)")
        try await deit(["classify", "one.index", "more/cow/1.png"], in: folder)
            .expectRefusal(65, saying: "one class")
    }
}
