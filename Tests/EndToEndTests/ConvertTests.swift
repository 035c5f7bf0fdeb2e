import Foundation
import TestSupport
import Testing

/// `deit convert` and `deit doctor`, as a user meets them.
@Suite(.serialized, .tags(.endToEnd)) struct ConvertTests {
    /// A checkpoint of Python's making that lies beside the unit tests.
    static func fixture(_ name: String) -> String {
        Checkout.root.appending(path: "Tests/CheckpointsTests/Fixtures/Foreign/\(name)").path
    }

    private func run(_ arguments: [String], in folder: URL) async throws -> CommandResult {
        try await DeitCommand.run(arguments, in: folder)
    }

    private func names(in folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }

    @Test func aRoundTripThroughEveryFormEndsWithTheSameBytes() async throws {
        try await withTemporaryFolder { folder in
            let first = try await run(
                [
                    "convert", Self.fixture("timm"), "--to", "safetensors", "--output",
                    "first.safetensors",
                ],
                in: folder
            )
            #expect(first.code == 0, "\(first.errors)")
            var last = "first.safetensors"
            for (form, name) in [
                ("hf", "hf"), ("pth", "a.pth"), ("deit", "b.pth"), ("timm", "timm"),
                ("safetensors", "last.safetensors"),
            ] {
                let result = try await run(
                    ["convert", last, "--to", form, "--output", name],
                    in: folder
                )
                #expect(result.code == 0, "\(form): \(result.errors)")
                #expect(result.output.contains("read back"))
                last = name
            }
            #expect(
                try names(in: folder) == [
                    "a.pth", "b.pth", "first.safetensors", "hf", "last.safetensors", "timm",
                ]
            )
            let doctor = try await run(["doctor", "last.safetensors", "--json"], in: folder)
            #expect(doctor.code == 0, "\(doctor.errors)")
            #expect(doctor.output.contains("\"sound\": true"))
        }
    }

    @Test func aDINOv2AndItsClassifier() async throws {
        let dinov2 = Checkout.root.appending(path: "Tests/CheckpointsTests/Fixtures/DINOv2").path
        try await withTemporaryFolder { folder in
            let backbone = "\(dinov2)/reg4.pth"
            let joined = try await run(
                [
                    "convert", backbone, "--head", "\(dinov2)/reg4_linear1.pth", "--to", "hf",
                    "--output", "hf",
                ],
                in: folder
            )
            #expect(joined.code == 0, "\(joined.errors)")
            #expect(joined.output.contains("Dinov2WithRegistersForImageClassification"))
            let back = try await run(
                ["convert", "hf", "--to", "dinov2", "--output", "back.pth"],
                in: folder
            )
            #expect(back.code == 0, "\(back.errors)")
            #expect(back.output.contains("DINOv2's names"))
            #expect(back.output.contains("not taken   classifier.bias, classifier.weight"))
            let doctor = try await run(["doctor", "hf", "--json"], in: folder)
            #expect(doctor.output.contains("\"sound\": true"), "\(doctor.errors)")
            try await run(
                [
                    "convert", backbone, "--head", "\(dinov2)/reg4_linear4.pth", "--to", "hf",
                    "--output", "four",
                ],
                in: folder
            )
            .expectRefusal(1, saying: "the last 4", "safetensors")
            try await run(
                ["convert", "\(dinov2)/reg4_linear1.pth", "--to", "hf", "--output", "head"],
                in: folder
            )
            .expectRefusal(65, saying: "without its backbone", "--head")
        }
    }

    @Test func anotherSizeIsToldAndNeedsItsWay() async throws {
        try await withTemporaryFolder { folder in
            let base = ["convert", Self.fixture("timm"), "--to", "hf", "--output", "out"]
            try await run(base + ["--size", "16x12"], in: folder)
                .expectRefusal(65, saying: "position", "deit, timm, hf, dino")
            try await run(base + ["--size", "17", "--resample", "timm"], in: folder)
                .expectRefusal(64, saying: "17", "patch size 4")
            try await run(base + ["--size", "x", "--resample", "timm"], in: folder)
                .expectRefusal(64, saying: "--size")
            try await run(base + ["--resample", "timm"], in: folder)
                .expectRefusal(64, saying: "--size")
            // Images cover an oblong input in timm's way, for which transformers' processors have no word.
            try await run(base + ["--size", "16x12", "--resample", "timm"], in: folder)
                .expectRefusal(1, saying: "--crop-mode squash")
            #expect(try names(in: folder).isEmpty)
            let result = try await run(
                base + [
                    "--size", "16x12", "--resample", "timm", "--crop-mode", "squash", "--dtype",
                    "bf16", "--json",
                ],
                in: folder
            )
            #expect(result.code == 0, "\(result.errors)")
            #expect(result.output.contains("from 2×2 to 4×3 patches (timm)"))
            #expect(result.output.contains("\"bfloat16\""))
        }
    }

    @Test func nothingIsReplacedUnasked() async throws {
        try await withTemporaryFolder { folder in
            let hf = ["convert", Self.fixture("timm"), "--to", "hf", "--output", "out"]
            #expect(try await run(hf, in: folder).code == 0)
            try await run(hf, in: folder).expectRefusal(64, saying: "--force")
            #expect(try await run(hf + ["--force"], in: folder).code == 0)
            let mine = folder.appending(path: "mine")
            try FileManager.default.createDirectory(at: mine, withIntermediateDirectories: true)
            try Data("precious".utf8).write(to: mine.appending(path: "notes.txt"))
            try await run(
                ["convert", Self.fixture("timm"), "--to", "hf", "--output", "mine", "--force"],
                in: folder
            ).expectRefusal(64, saying: "is left unchanged")
            #expect(try names(in: mine) == ["notes.txt"])
            try await run(
                ["convert", Self.fixture("timm"), "--to", "pth", "--output", "out", "--force"],
                in: folder
            ).expectRefusal(64, saying: "is a directory")
            #expect(try names(in: folder) == ["mine", "out"])
        }
    }

    @Test func whatCannotBeConvertedIsOneSentence() async throws {
        try await withTemporaryFolder { folder in
            func refuse(
                _ arguments: [String],
                _ words: String...,
                code: Int32 = 65,
                location: SourceLocation = #_sourceLocation
            ) async throws {
                let result = try await run(
                    ["convert"] + arguments + ["--output", "out"],
                    in: folder
                )
                result.expectRefusal(code, saying: words[0], location: location)
                for word in words {
                    #expect(
                        result.errors.contains(word),
                        "\(result.errors)",
                        sourceLocation: location
                    )
                }
            }
            try await refuse([Self.fixture("deit3.pth"), "--to", "hf"], "layer scale", code: 1)
            try await refuse([Self.fixture("dino_full.pth"), "--to", "timm"], "student", "teacher")
            try await refuse(
                [Self.fixture("dino_full.pth"), "--to", "timm", "--state-dict", "none"],
                "none"
            )
            try await refuse(["absent.pth", "--to", "hf"], "absent.pth")
            try Data("#!/bin/sh\n".utf8).write(to: folder.appending(path: "script.pth"))
            try await refuse(["script.pth", "--to", "hf"], "script.pth")
            try await refuse(
                [Self.fixture("timm"), "--to", "timm", "--max-shard-size", "1GB"],
                "--max-shard-size",
                code: 64
            )
            #expect(try names(in: folder) == ["script.pth"])
        }
    }

    @Test func doctorTellsWhatItIsAndFails65OnFaults() async throws {
        try await withTemporaryFolder { folder in
            let teacher = try await run(
                ["doctor", Self.fixture("dino_full.pth"), "--state-dict", "teacher"],
                in: folder
            )
            #expect(teacher.code == 0, "\(teacher.errors)")
            for word in [
                "PyTorch", "student, teacher", "none (a backbone)", "dino", "OK: no problems",
            ] {
                #expect(teacher.output.contains(word), "\(word): \(teacher.output)")
            }
            // One number of the weights becomes NaN.
            let copy = folder.appending(path: "m")
            try FileManager.default.copyItem(atPath: Self.fixture("timm"), toPath: copy.path)
            let file = copy.appending(path: "model.safetensors")
            var bytes = try Data(contentsOf: file)
            bytes.replaceSubrange((bytes.count - 4)..., with: [0, 0, 0xC0, 0x7F])
            try bytes.write(to: file)
            let broken = try await run(["doctor", "m"], in: folder)
            #expect(broken.code == 65)
            #expect(broken.output.contains("fault: NaN or infinity in "))
            try await run(["convert", "m", "--to", "hf", "--output", "out"], in: folder)
                .expectRefusal(65, saying: "NaN or infinity in pos_embed")
            // A configuration that contradicts the weights.
            let config = copy.appending(path: "config.json")
            let text = try String(contentsOf: config, encoding: .utf8)
            try text.replacingOccurrences(of: "\"embed_dim\": 16", with: "\"embed_dim\": 32")
                .write(to: config, atomically: true, encoding: .utf8)
            let other = try await run(["doctor", "m"], in: folder)
            #expect(other.code == 65)
            #expect(other.output.contains("does not fit the model"))
            try Data().write(to: file)
            try await run(["doctor", "m"], in: folder).expectRefusal(
                65,
                saying: "model.safetensors"
            )
            #expect(try names(in: folder) == ["m"])
        }
    }

    @Test func doctorOfTheMachine() async throws {
        try await withTemporaryFolder { folder in
            let result = try await DeitCommand.run(
                ["doctor"],
                in: folder,
                environment: ["HF_HOME": "/nowhere/hf"]
            )
            #expect(result.code == 0, "\(result.errors)")
            for word in ["libtorch", "threads", "computes with", "/nowhere/hf/hub", "- encoder"] {
                #expect(result.output.contains(word), "\(word): \(result.output)")
            }
            #expect(result.output.contains("layers: DEIT_COMPUTE=libtorch"))
            let json = try await DeitCommand.run(
                ["doctor", "--json"],
                in: folder,
                environment: ["DEIT_COMPUTE": ""]
            )
            let object = try #require(
                JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
            )
            let choices = try #require(object["choices"] as? [[String: String]])
            #expect(
                choices.map { $0["name"] } == [
                    "dtype", "linear", "attention", "pointwise", "encoder", "blocks",
                ]
            )
            #expect(choices.allSatisfy { $0["reason"]?.isEmpty == false })
            if let speed = object["speed"] as? [String: Any] {
                for key in ["product_gflops", "forward_share", "training_share"] {
                    let value = try #require(speed[key] as? Double)
                    #expect(value > 0 && value.isFinite, "\(key)")
                }
            }
        }
    }
}
