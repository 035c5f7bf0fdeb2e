import Foundation
import TestSupport
import Testing

/// `deit features` as a user meets it.
@Suite(.serialized, .tags(.endToEnd)) struct FeaturesTests {
    @Test func writesFeatures() async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appending(path: "data")
            try TinyData.writeFolders(to: data, classes: ["ant", "bee"], train: 8, validation: 3)
            let result = try await DeitCommand.run(
                ["train"] + TinyRun.options + [
                    "--epochs", "1", "--data", "data", "--output", "run",
                ],
                in: folder
            )
            #expect(result.code == 0, "\(result.errors)")
            try await labelled(in: folder)
            try await unlabelled(in: folder)
            try await leavesOutWhatCannotBeRead(in: folder)
            try await refuses(in: folder)
        }
    }

    private func features(_ arguments: [String], in folder: URL) async throws -> CommandResult {
        try await DeitCommand.run(["features", "run"] + arguments, in: folder)
    }

    private func labelled(in folder: URL) async throws {
        for (split, count) in [("val", 6), ("train", 16)] {
            let result = try await features(
                [
                    "--data", "data", "--split", split, "--tokens", "dist,patch", "--blocks", "2",
                    "--output", "f.safetensors",
                ],
                in: folder
            )
            #expect(result.code == 0 && result.errors.isEmpty, "\(result.errors)")
            #expect(result.output == "f.safetensors: dist \(count)×128, patch \(count)×4×128\n")
            let file = try Fixture(folder.appending(path: "f.safetensors"))
            #expect(try file.shape("dist") == [count, 128])
            #expect(try file.shape("patch") == [count, 4, 128])
            let labels = try file.integers("labels")
            #expect(labels == (0..<count).map { Int64($0 * 2 / count) })
            #expect(file.metadata["classes"] == "[\"ant\",\"bee\"]")
            #expect(file.metadata["files"]?.hasPrefix("[\"data/\(split)/ant/0.png\",") == true)
        }
    }

    private func unlabelled(in folder: URL) async throws {
        let images = ["data/val/bee/1.png", "data/val/ant"]
        let result = try await features(
            images + ["--normalize", "--output", "f.csv"],
            in: folder
        )
        #expect(result.code == 0 && result.output == "f.csv: cls 4×64\n", "\(result.errors)")
        let text = try String(contentsOf: folder.appending(path: "f.csv"), encoding: .utf8)
        let lines = text.split(separator: "\n").map { $0.split(separator: ",") }
        try #require(lines.count == 5 && lines.allSatisfy { $0.count == 65 })
        #expect(
            lines[1...].map { String($0[0]) } == [
                "data/val/bee/1.png", "data/val/ant/0.png", "data/val/ant/1.png",
                "data/val/ant/2.png",
            ]
        )
        for line in lines[1...] {
            let square = line.dropFirst().compactMap { Double($0) }.reduce(0) { $0 + $1 * $1 }
            #expect(abs(square - 1) < 1e-5)
        }
        let larger = try await features(
            images + [
                "--size", "16", "--resample", "dino", "--tokens", "patch", "--output",
                "f.safetensors",
            ],
            in: folder
        )
        #expect(larger.output == "f.safetensors: patch 4×16×64\n", "\(larger.errors)")
        let array = try await features(images + ["--output", "f.npy"], in: folder)
        #expect(array.code == 0)
        let names = try String(
            contentsOf: folder.appending(path: "f.npy.files.csv"),
            encoding: .utf8
        )
        #expect(names.hasPrefix("file\ndata/val/bee/1.png\n"))
        let size = try Data(contentsOf: folder.appending(path: "f.npy")).count
        #expect(size == 128 + 4 * 64 * 4)
    }

    private func leavesOutWhatCannotBeRead(in folder: URL) async throws {
        let bad = folder.appending(path: "data/val/ant/broken.png")
        try Data("no image".utf8).write(to: bad)
        defer { try? FileManager.default.removeItem(at: bad) }
        let result = try await features(["data/val", "--output", "f.csv"], in: folder)
        #expect(result.code == 0 && result.output == "f.csv: cls 6×64\n")
        #expect(
            result.errors.contains("skipped 1 image") && result.errors.contains("broken.png")
        )
        // What was there stays when nothing comes of it.
        let before = try Data(contentsOf: folder.appending(path: "f.csv"))
        try await features(
            ["data/val", "--skip-limit", "0", "--output", "f.csv"],
            in: folder
        )
        .expectRefusal(65, saying: "broken.png")
        try await features(["data/val/ant/broken.png", "--output", "f.csv"], in: folder)
            .expectRefusal(65, saying: "broken.png", "is not a JPEG")
        #expect(try Data(contentsOf: folder.appending(path: "f.csv")) == before)
        let hidden = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasPrefix(".") }
        #expect(hidden.isEmpty, "\(hidden)")
    }

    private func refuses(in folder: URL) async throws {
        let image = "data/val/ant/0.png"
        for (arguments, words) in [
            ([image, "--output", "f.txt"], ["f.txt", ".npy"]),
            (["--output", "f.csv"], ["--data"]),
            ([image, "--data", "data", "--output", "f.csv"], ["not both"]),
            ([image, "--tokens", "clss", "--output", "f.csv"], ["clss", "cls, dist, patch"]),
            ([image, "--tokens", "patch", "--output", "f.csv"], ["patch", ".safetensors"]),
            ([image, "--tokens", "cls,patch", "--output", "f.npy"], ["patch", ".safetensors"]),
            ([image, "--blocks", "5", "--output", "f.csv"], ["4 blocks"]),
            ([image, "--batch", "0", "--output", "f.csv"], ["--batch"]),
        ] {
            let result = try await features(arguments, in: folder)
            result.expectRefusal(64, saying: words[0])
            for word in words { #expect(result.errors.contains(word), "\(result.errors)") }
        }
        try await features([image, "--output", "nowhere/f.csv"], in: folder)
            .expectRefusal(1, saying: "nowhere/f.csv")
        try await features(["nowhere.png", "--output", "f.csv"], in: folder)
            .expectRefusal(65, saying: "nowhere.png")
        try await features(["--data", "nowhere", "--output", "f.csv"], in: folder)
            .expectRefusal(65, saying: "nowhere")
    }
}
