import Foundation
import TestSupport
import Testing

/// `deit classify` as a user and a program meet it.
@Suite(.serialized, .tags(.endToEnd)) struct ClassifyTests {
    private static let classes = ["ant", "bee", "cat", "dog"]

    private struct Entry: Decodable {
        struct Prediction: Decodable {
            let label: String
            let index: Int
            let score: Double
        }

        let file: String
        let predictions: [Prediction]?
        let error: String?
    }

    private func images(_ result: CommandResult) throws -> [Entry] {
        try JSONDecoder().decode([Entry].self, from: Data(result.output.utf8))
    }

    @Test func namesWhatImagesShow() async throws {
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
            try await files(in: folder)
            try await folders(in: folder)
            try await standardInput(in: folder)
            try await goesOnAfterWhatCannotBeRead(in: folder)
            try await refuses(in: folder)
            try await followsTheProblemType(in: folder)
            try await namesGiveNoOrders(in: folder)
            try await pathsAreNoNamesOnTheHub(in: folder)
        }
    }

    private func files(in folder: URL) async throws {
        let files = ["data/val/ant/0.png", "data/val/dog/1.png"]
        let json = try await DeitCommand.run(
            ["classify", "run", "--top", "9", "--json"] + files,
            in: folder
        )
        #expect(json.code == 0 && json.errors.isEmpty, "\(json.errors)")
        let images = try images(json)
        #expect(images.map(\.file) == files)
        var best: [String] = []
        for image in images {
            let predictions = try #require(image.predictions)
            #expect(Set(predictions.map(\.label)) == Set(Self.classes))
            #expect(predictions.allSatisfy { Self.classes[$0.index] == $0.label })
            let scores = predictions.map(\.score)
            #expect(scores == scores.sorted(by: >))
            #expect(abs(scores.reduce(0, +) - 1) < 1e-9)
            best += predictions.prefix(1).map {
                "\(image.file)\t\(String(format: "%.4f", $0.score))\t\($0.label)\n"
            }
        }
        let text = try await DeitCommand.run(["classify", "run", "--top", "1"] + files, in: folder)
        #expect(text.output == best.joined())
    }

    /// A folder's images come sorted, those of its folders too, and more than a batch of them.
    private func folders(in folder: URL) async throws {
        let result = try await DeitCommand.run(
            ["classify", "run", "data/val", "data/val/bee/2.png", "--top", "1"],
            in: folder
        )
        #expect(result.code == 0 && result.errors.isEmpty, "\(result.errors)")
        let files = result.output.split(separator: "\n").compactMap {
            $0.split(separator: "\t").first
        }
        let expected = Self.classes.flatMap { name in (0..<5).map { "data/val/\(name)/\($0).png" } }
        #expect(files.map(String.init) == expected + ["data/val/bee/2.png"])
    }

    /// A copy of the run's best checkpoint whose configuration says something more or else.
    private func copy(
        _ name: String,
        in folder: URL,
        _ change: (inout [String: Any]) -> Void
    ) throws {
        let files = FileManager.default
        let best = folder.appending(path: "run/checkpoints/best").resolvingSymlinksInPath()
        let copy = folder.appending(path: name)
        try files.copyItem(at: best, to: copy)
        let file = copy.appending(path: "config.json")
        var object = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
        )
        change(&object)
        try JSONSerialization.data(withJSONObject: object).write(to: file)
    }

    /// The same logits get a softmax, a sigmoid or nothing, and what cannot be measured is refused.
    private func followsTheProblemType(in folder: URL) async throws {
        let names = [
            "multi": "multi_label_classification", "number": "regression",
            "single": "single_label_classification",
        ]
        var scores: [String: [Int: Double]] = [:]
        for (name, type) in names {
            try copy(name, in: folder) { $0["problem_type"] = type }
            let result = try await DeitCommand.run(
                ["classify", name, "data/val/ant/0.png", "--top", "4", "--json"],
                in: folder
            )
            let found = try #require(try images(result).first?.predictions)
            scores[name] = Dictionary(uniqueKeysWithValues: found.map { ($0.index, $0.score) })
            let evaluation = try await DeitCommand.run(
                ["evaluate", name, "--data", "data"],
                in: folder
            )
            if name != "number" {
                #expect(evaluation.code == 0, "\(evaluation.errors)")
            } else {
                evaluation.expectRefusal(65, saying: type, "--knn")
            }
            let doctor = try await DeitCommand.run(["doctor", name], in: folder)
            #expect(doctor.output.contains("(\(type))"), "\(doctor.output)")
        }
        let logits = try #require(scores["number"])
        #expect(logits.count == 4)
        let sum = logits.values.reduce(0) { $0 + exp($1) }
        for (index, logit) in logits {
            let sigmoid = try #require(scores["multi"]?[index])
            let softmax = try #require(scores["single"]?[index])
            #expect(abs(sigmoid - 1 / (1 + exp(-logit))) < 1e-6)
            #expect(abs(softmax - exp(logit) / sum) < 1e-6)
        }
    }

    private func namesGiveNoOrders(in folder: URL) async throws {
        let evil = "\u{1B}[2J\u{9B}31m\u{202E}gpj\ttab\nline"
        try copy("evil", in: folder) { object in
            if object["id2label"] != nil {
                object["id2label"] = ["0": evil, "1": "b", "2": "c", "3": "d"]
            } else {
                object["label_names"] = [evil, "b", "c", "d"]
                object["label_descriptions"] = nil
            }
        }
        for flags in [[], ["--json"]] {
            let result = try await DeitCommand.run(
                ["classify", "evil", "data/val/ant/0.png"] + flags,
                in: folder
            )
            #expect(result.code == 0, "\(result.errors)")
            let controls = result.output.unicodeScalars.filter {
                $0.properties.generalCategory == .control && $0 != "\n" && $0 != "\t"
                    || $0 == "\u{202E}"
            }
            #expect(controls.isEmpty, "\(result.output)")
            if flags.isEmpty {
                #expect(result.output.split(separator: "\n").count == 4)
            } else {
                let labels = try images(result)[0].predictions?.map(\.label)
                #expect(labels?.contains(evil) == true)
            }
        }
    }

    private func pathsAreNoNamesOnTheHub(in folder: URL) async throws {
        try FileManager.default.createDirectory(
            at: folder.appending(path: "runs/first"),
            withIntermediateDirectories: true
        )
        try await DeitCommand.run(["classify", "runs/fisrt", "x.png"], in: folder)
            .expectRefusal(
                65,
                saying: "runs/fisrt",
                "neither a file or directory nor a Hub model ID",
                "did you mean \"runs/first\""
            )
    }

    private func standardInput(in folder: URL) async throws {
        let named = try await DeitCommand.run(
            ["classify", "run", "data/val/cat/1.png", "--json"],
            in: folder
        )
        let piped = try await DeitCommand.start(
            ["-c", "\"$0\" classify run - --json < data/val/cat/1.png", DeitCommand.binary.path],
            in: folder,
            program: URL(filePath: "/bin/sh")
        ).result()
        #expect(piped.code == 0, "\(piped.errors)")
        #expect(
            piped.output
                == named.output.replacingOccurrences(
                    of: "data/val/cat/1.png",
                    with: "standard input"
                )
        )
        try await DeitCommand.run(["classify", "run", "-"], in: folder)
            .expectRefusal(65, saying: "standard input", "empty")
        try await DeitCommand.run(["classify", "run", "-", "-"], in: folder)
            .expectRefusal(64, saying: "standard input")
    }

    private func goesOnAfterWhatCannotBeRead(in folder: URL) async throws {
        try Data().write(to: folder.appending(path: "empty.jpg"))
        try Data("GIF89a and more".utf8).write(to: folder.appending(path: "moving.jpg"))
        let files = [
            "empty.jpg", "data/val/ant/0.png", "moving.jpg", "run/run.yaml", "nowhere.png",
        ]
        let result = try await DeitCommand.run(["classify", "run", "--json"] + files, in: folder)
        result.expectRefusal(65, saying: "4 of 5 images cannot be used")
        for (file, word) in [
            ("empty.jpg", "empty"), ("moving.jpg", "GIF"), ("run/run.yaml", "is not a JPEG"),
            ("nowhere.png", "no such file"),
        ] {
            let line = result.errors.split(separator: "\n").first { $0.contains("deit: \(file) ") }
            #expect(line?.contains(word) == true, "\(result.errors)")
        }
        let images = try images(result)
        #expect(images.map(\.file) == files)
        #expect(images.map { $0.error == nil } == [false, true, false, false, false])
        #expect(images[1].predictions?.count == 4)
        let lines = try await DeitCommand.run(["classify", "run"] + files, in: folder)
        #expect(lines.code == 65 && lines.output.split(separator: "\n").count == 4)
    }

    private func refuses(in folder: URL) async throws {
        try await DeitCommand.run(["classify", "run", "nowhere.png"], in: folder)
            .expectRefusal(65, saying: "nowhere.png", "no such file")
        let empty = folder.appending(path: "none")
        try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: true)
        try await DeitCommand.run(["classify", "run", "none"], in: folder)
            .expectRefusal(65, saying: "none contains no images")
        let partly = try await DeitCommand.run(
            ["classify", "run", "none", "data/val/ant/0.png"],
            in: folder
        )
        #expect(partly.code == 65 && partly.output.contains("data/val/ant/0.png"))
        #expect(partly.errors.contains("none contains no images"))
        try await DeitCommand.run(["classify", "run", "x.png", "--top", "0"], in: folder)
            .expectRefusal(64, saying: "--top")
        try await DeitCommand.run(["classify", "run", "x.png", "--dtype", "fp8"], in: folder)
            .expectRefusal(64, saying: "fp8", "bf16")
        let full = try await DeitCommand.start(
            [
                "-c", "\"$0\" classify run data/val/ant/0.png > /dev/full",
                DeitCommand.binary.path,
            ],
            in: folder,
            program: URL(filePath: "/bin/sh")
        ).result()
        full.expectRefusal(1, saying: "No space left")
    }
}
