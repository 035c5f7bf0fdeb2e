import Foundation
import TestSupport
import Testing

/// Images that are stored turned are seen as those that are stored upright, by every command; unless it is declined.
@Suite(.tags(.endToEnd)) struct OrientationTests {
    private static let classes = ["ant", "bee"]

    /// The same images in two folders: stored upright, and stored turned to the left with EXIF data that turn them back.
    private func withData(_ body: (URL) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            for (split, count) in [("train", 16), ("val", 6)] {
                for (label, name) in Self.classes.enumerated() {
                    for kind in ["upright", "turned"] {
                        let place = folder.appending(path: "\(kind)/\(split)/\(name)")
                        try FileManager.default.createDirectory(
                            at: place,
                            withIntermediateDirectories: true
                        )
                        for index in 0..<count {
                            let pixels = TinyData.pixels(label: label * 3, index: index)
                            let file =
                                kind == "upright"
                                ? TinyData.png(pixels)
                                : TinyData.png(Self.turnedLeft(pixels), orientation: 6)
                            try file.write(to: place.appending(path: "\(index).png"))
                        }
                    }
                }
            }
            try await body(folder)
        }
    }

    private static func turnedLeft(_ pixels: [UInt8]) -> [UInt8] {
        let side = TinyData.side
        return (0..<(side * side)).map { pixels[$0 % side * side + side - 1 - $0 / side] }
    }

    private func run(_ arguments: [String], in folder: URL) async throws -> CommandResult {
        let result = try await DeitCommand.run(arguments, in: folder)
        #expect(result.code == 0, "\(arguments): \(result.errors)")
        return result
    }

    private func evaluated(
        _ model: String,
        _ data: String,
        _ options: [String] = [],
        in folder: URL
    ) async throws -> Double {
        let result = try await run(
            ["evaluate", model, "--data", data, "--json"] + options,
            in: folder
        )
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
        )
        return try #require(object["loss"] as? Double)
    }

    @Test func trainingAndEvaluationSeeImagesUpright() async throws {
        try await withData { folder in
            func train(_ name: String, _ data: String, _ options: [String] = []) async throws {
                _ = try await run(
                    ["train", "--data", data, "--output", name, "--epochs", "2"] + TinyRun.options
                        + options,
                    in: folder
                )
            }
            func weights(_ name: String) throws -> Data {
                try TinyRun(folder: folder.appending(path: name))
                    .data("checkpoints/last/model.safetensors")
            }
            try await train("a", "upright")
            try await train("b", "turned")
            try await train("c", "turned", ["--exif-orientation", "off"])
            #expect(try weights("a") == weights("b"))
            #expect(try weights("b") != weights("c"))
            let text = try String(
                contentsOf: folder.appending(path: "c/run.yaml"),
                encoding: .utf8
            )
            #expect(text.contains("exif_orientation: off"))
            // The checkpoint's own rule, and the flag that goes before it.
            let own = try await evaluated("c", "turned", in: folder)
            let off = try await evaluated("c", "turned", ["--exif-orientation", "off"], in: folder)
            let on = try await evaluated("c", "turned", ["--exif-orientation", "on"], in: folder)
            let upright = try await evaluated("c", "upright", in: folder)
            #expect(own == off && on == upright && own != on)
            let first = try await evaluated("b", "turned", in: folder)
            let second = try await evaluated("a", "upright", in: folder)
            #expect(first == second)
            try await DeitCommand.run(
                ["train", "--resume", "--output", "c", "--exif-orientation", "on"],
                in: folder
            ).expectRefusal(64, saying: "exif_orientation")
            for option in ["yes", ""] {
                try await DeitCommand.run(
                    ["evaluate", "a", "--data", "upright", "--exif-orientation", option],
                    in: folder
                ).expectRefusal(64, saying: "on", "off")
            }
        }
    }

    /// Commands that need no labels or no run: each tells the folders apart where orientation is declined only.
    @Test func otherCommandsFollowTheSameRule() async throws {
        try await withData { folder in
            _ = try await run(
                ["train", "--data", "upright", "--output", "run", "--epochs", "1"]
                    + TinyRun.options,
                in: folder
            )
            func written(_ arguments: [String], _ file: String) async throws -> Data {
                _ = try await run(arguments, in: folder)
                return try Data(contentsOf: folder.appending(path: file))
            }
            func compare(
                _ name: String,
                _ call: (String, [String]) async throws -> Data
            ) async throws {
                let upright = try await call("upright", [])
                let turned = try await call("turned", [])
                let declined = try await call("turned", ["--exif-orientation", "off"])
                #expect(upright == turned, "\(name)")
                #expect(upright != declined, "\(name)")
            }
            try await compare("data show") { data, options in
                try await written(
                    [
                        "data", "show", data, "--size", "8", "--recipe", "quickstart", "--rows",
                        "1",
                        "--output", "sheet.png",
                    ] + options,
                    "sheet.png"
                )
            }
            try await compare("features") { data, options in
                let name = "f-\(data)-\(options.count).npy"
                return try await written(
                    ["features", "run", "--data", data, "--output", name] + options,
                    name
                )
            }
            try await compare("attention") { data, options in
                let name = "a-\(data)-\(options.count)"
                return try await written(
                    ["attention", "run", "\(data)/val/ant/0.png", "--output", name] + options,
                    "\(name)/overview.png"
                )
            }
            try await compare("classify") { data, options in
                let result = try await run(
                    ["classify", "run", "\(data)/val/bee/1.png", "--json"] + options,
                    in: folder
                )
                return Data(result.output.replacing(data, with: "").utf8)
            }
        }
    }
}
