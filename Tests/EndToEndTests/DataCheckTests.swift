import Foundation
import TestSupport
import Testing

/// `deit data check` as a user and a program meet it.
@Suite(.serialized, .tags(.endToEnd)) struct DataCheckTests {
    private func withData(_ body: (URL) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appending(path: "data")
            try TinyData.writeFolders(to: data, classes: ["ant", "bee"], train: 9, validation: 0)
            for label in 0..<2 {
                for index in 0..<3 {
                    let png = TinyData.png(TinyData.pixels(label: label, index: 100 + index))
                    try png.write(
                        to: data.appending(path: "val/\(["ant", "bee"][label])/v\(index).png")
                    )
                }
            }
            try await body(folder)
        }
    }

    private func check(_ arguments: [String], in folder: URL) async throws -> CommandResult {
        try await DeitCommand.run(["data", "check"] + arguments, in: folder)
    }

    @Test func goodDataPasses() async throws {
        try await withData { folder in
            let result = try await check(["data"], in: folder)
            #expect(result.code == 0 && result.errors.isEmpty, "\(result.errors)")
            #expect(result.output.hasPrefix("data: 24 images, 2 classes: ant, bee\n"))
            #expect(result.output.contains("no problems found"), "\(result.output)")
        }
    }

    @Test func tellsWhatIsWrongAndCleansIt() async throws {
        try await withData { folder in
            let manager = FileManager.default
            let data = folder.appending(path: "data")
            try manager.copyItem(
                at: data.appending(path: "val/ant/v0.png"),
                to: data.appending(path: "train/ant/copy.png")
            )
            try Data("no image".utf8).write(to: data.appending(path: "train/bee/bad.png"))
            let result = try await check(
                ["data", "--html", "page.html", "--clean-list", "clean.csv"],
                in: folder
            )
            #expect(result.code == 65 && result.errors.isEmpty, "\(result.errors)")
            #expect(result.output.contains("train/ant/copy.png, val/ant/v0.png: 2 files are equal"))
            #expect(result.output.contains("train/bee/bad.png: the file is not a JPEG"))
            #expect(result.output.contains("2 errors, 0 warnings; without 2 images 24 are left"))
            let page = try String(contentsOf: folder.appending(path: "page.html"), encoding: .utf8)
            #expect(page.contains("data:image/png;base64,") && page.contains("train/bee/bad.png"))
            let list = try String(contentsOf: folder.appending(path: "clean.csv"), encoding: .utf8)
            let lines = list.split(separator: "\n")
            #expect(lines.count == 25 && lines.first == "file,label,class,split")
            #expect(lines.contains("data/val/ant/v0.png,0,ant,val") && !list.contains("copy"))

            let json = try await check(["data", "--json"], in: folder)
            let object =
                try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
            #expect(json.code == 65 && object?["images"] as? Int == 26)
            #expect(object?["counts"] as? [String: Int] == ["unreadable": 1, "leak": 1])
            let again = try await check(["clean.csv"], in: folder)
            #expect(again.code == 0, "\(again.output)")
            try await trainsOnTheList(in: folder)
        }
    }

    private func trainsOnTheList(in folder: URL) async throws {
        let train = try await DeitCommand.run(
            ["train"] + TinyRun.options + [
                "--epochs", "1", "--data", "clean.csv", "--output", "run",
            ],
            in: folder
        )
        #expect(train.code == 0, "\(train.errors)")
        let suspects = try await check(
            ["clean.csv", "--model", "run", "--neighbours", "5"],
            in: folder
        )
        #expect(suspects.code == 0 && suspects.errors.isEmpty, "\(suspects.errors)")
    }

    @Test func measuresWithTheShareThatWasHeldOut() async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeFolders(
                to: folder.appending(path: "data"),
                classes: ["ant", "bee"],
                train: 20,
                validation: 0
            )
            let manager = FileManager.default
            try manager.removeItem(at: folder.appending(path: "data/val"))
            let train = try await DeitCommand.run(
                ["train"] + TinyRun.options + [
                    "--epochs", "1", "--data", "data/train", "--output", "run",
                ],
                in: folder
            )
            #expect(train.code == 0, "\(train.errors)")
            #expect(
                train.errors.contains("4 of 40 images, 10 % of each class, are held out"),
                "\(train.errors)"
            )
            for checkpoint in ["run", "run/checkpoints/last"] {
                let result = try await DeitCommand.run(
                    ["evaluate", checkpoint, "--data", "data/train/", "--json"],
                    in: folder
                )
                #expect(
                    result.code == 0 && result.output.contains("\"count\":4"),
                    "\(result.output)"
                )
                #expect(result.errors.contains("the 4 images that the model's run held out"))
            }
        }
    }

    @Test func refusals() async throws {
        try await withData { folder in
            try await check(["none"], in: folder).expectRefusal(65, saying: "no data at none")
            try await check(["data", "--clean-list", "x.txt"], in: folder)
                .expectRefusal(64, saying: "must end in .csv")
            try await check(["data", "--workers", "0"], in: folder)
                .expectRefusal(64, saying: "from 1 to 1024")
            try await check(["data", "--html", "no/such/page.html"], in: folder)
                .expectRefusal(65, saying: "no/such/page.html", "cannot be written")
            try Data("x".utf8).write(to: folder.appending(path: "file.txt"))
            try await check(["file.txt"], in: folder).expectRefusal(
                65,
                saying: "neither a directory"
            )
        }
    }
}
