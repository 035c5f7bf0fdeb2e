import Foundation
import TestSupport
import Testing

/// `deit attention`, `deit segment` and `deit propagate` as a user and a program meet them.
@Suite(.serialized, .tags(.endToEnd)) struct AttentionCommandTests {
    private struct Maps: Decodable {
        struct Entry: Decodable {
            let file: String
            let grid: [Int]
            let files: [String: String]
        }

        let images: [Entry]
        let overview: [String]
    }

    @Test func looksIntoAModel() async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appending(path: "data")
            try TinyData.writeFolders(to: data, classes: ["a", "b"], train: 8, validation: 3)
            let result = try await DeitCommand.run(
                ["train"] + TinyRun.options + [
                    "--epochs", "1", "--data", "data", "--output", "run",
                ],
                in: folder
            )
            try #require(result.code == 0, "\(result.errors)")
            try await maps(in: folder)
            try await films(in: folder)
            try await masks(in: folder)
            try await refusals(in: folder)
        }
    }

    private func exists(_ path: String, in folder: URL) -> Bool {
        FileManager.default.fileExists(atPath: folder.appending(path: path).path)
    }

    private func maps(in folder: URL) async throws {
        try Data("no image".utf8).write(to: folder.appending(path: "bad.png"))
        let result = try await DeitCommand.run(
            ["attention", "run", "data/val", "bad.png", "--output", "maps", "--json"],
            in: folder
        )
        // The unreadable image is told; the others are done.
        result.expectRefusal(65, saying: "1 of 7 images", "bad.png")
        let maps = try JSONDecoder().decode(Maps.self, from: Data(result.output.utf8))
        #expect(maps.images.count == 6)
        for image in maps.images {
            // A distilled model has two tokens, with a mean, a rollout and two heads each.
            #expect(image.files.count == 2 * 4 * 3 + 3)
            #expect(image.files["dist-rollout"] != nil)
            for file in image.files.values {
                #expect(exists("maps/\(file)", in: folder), "\(file)")
            }
        }
        #expect(maps.images.first?.files["sheet"] == "a/0/sheet.png")
        for file in maps.overview { #expect(exists("maps/\(file)", in: folder)) }

        let again = ["attention", "run", "data/val/a/0.png", "--output", "maps"]
        try await DeitCommand.run(again, in: folder)
            .expectRefusal(64, saying: "maps is not empty", "--overwrite")
        let over = try await DeitCommand.run(again + ["--overwrite"], in: folder)
        #expect(over.code == 0 && over.output.contains("maps/index.html"), "\(over.errors)")
    }

    private func films(in folder: URL) async throws {
        let film = try await DeitCommand.run(
            [
                "attention", "run", "data/val/a", "--frames", "--parts", "mean,features",
                "--foreground", "--upscale", "bicubic", "--output", "film",
            ],
            in: folder
        )
        #expect(film.code == 0, "\(film.errors)")
        for kind in ["image", "cls-mean", "dist-mean-overlay", "features"] {
            #expect(exists("film/\(kind)/000003.png", in: folder), "\(kind)")
        }
        #expect(!exists("film/cls-head-1", in: folder))

        let labels = (0..<64).map { UInt8($0 % 8 < 4 ? 0 : 1) }
        try TinyData.png(labels).write(to: folder.appending(path: "first.png"))
        let propagate = ["propagate", "run", "--mask", "first.png", "--size", "8"]
        let masks = try await DeitCommand.run(
            propagate + ["data/val/a", "--truth", "masks-of-film", "--output", "masks-of-film"],
            in: folder
        )
        #expect(masks.code == 0, "\(masks.errors)")
        for file in ["0.png", "1.png", "2.png", "sheet.png"] {
            #expect(exists("masks-of-film/\(file)", in: folder), "\(file)")
        }
        try await DeitCommand.run(
            propagate + ["data/val/a/0.png", "--output", "one"],
            in: folder
        ).expectRefusal(65, saying: "only one frame")
        try TinyData.png([UInt8](repeating: 7, count: 64))
            .write(to: folder.appending(path: "flat.png"))
        try await DeitCommand.run(
            [
                "propagate", "run", "data/val/a", "--mask", "flat.png", "--size", "8",
                "--output", "one",
            ],
            in: folder
        ).expectRefusal(65, saying: "flat.png", "one colour only")
        #expect(!exists("one", in: folder), "nothing is made before all is checked")
    }

    private func masks(in folder: URL) async throws {
        for method in ["cut", "attention", "rollout"] {
            let result = try await DeitCommand.run(
                ["segment", "run", "data/val", "--method", method, "--output", "seg-\(method)"],
                in: folder
            )
            #expect(result.code == 0, "\(result.errors)")
            for file in ["a/0.png", "b/2.png", "sheets/a/0.png", "overview.png"] {
                #expect(exists("seg-\(method)/\(file)", in: folder), "\(method) \(file)")
            }
        }
        let data = try await DeitCommand.run(
            [
                "segment", "run", "--data", "data", "--main-object", "--truth", "seg-cut", "--json",
                "--output", "seg-data",
            ],
            in: folder
        )
        #expect(data.code == 0 && data.output.contains("\"foreground\""), "\(data.errors)")
    }

    private func refusals(in folder: URL) async throws {
        func refused(_ arguments: [String], _ code: Int32, _ words: String...) async throws {
            let image = "data/val/a/0.png"
            let result = try await DeitCommand.run(
                ["attention", "run", image, "--output", "none"] + arguments,
                in: folder
            )
            result.expectRefusal(code)
            for word in words { #expect(result.errors.contains(word), "\(result.errors)") }
        }
        try await refused(["--size", "100000"], 64, "GiB", "--size")
        try await refused(["--size", "3y4"], 64, "--size")
        try await refused(["--block", "9"], 64, "blocks 1 to 4")
        try await refused(["--threshold", "0"], 64, "fraction of attention")
        try await refused(["--parts", "tails"], 64, "heads, mean, rollout, features")
        try await refused(["--discard", "1"], 64, "discard")
        let missing = try await DeitCommand.run(
            ["attention", "run", "nowhere.jpg", "--output", "none"],
            in: folder
        )
        missing.expectRefusal(65, saying: "nowhere.jpg", "no such file")
        #expect(!exists("none", in: folder))
        // An image whose own size needs too much is made smaller, and that is told.
        let shrunk = try await DeitCommand.run(
            [
                "attention", "run", "data/val/a/0.png", "--memory", "0.000001", "--output", "small",
            ],
            in: folder
        )
        #expect(
            shrunk.code == 0 && shrunk.errors.contains("is shown to the model at"),
            "\(shrunk.errors)"
        )
    }
}
