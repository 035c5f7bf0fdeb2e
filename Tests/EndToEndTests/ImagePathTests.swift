import Foundation
import TestSupport
import Testing

/// `deit data show` and `deit bench pipeline`: what they make of a folder, never how fast.
@Suite(.tags(.endToEnd)) struct ImagePathTests {
    /// A folder with data, and a way to call the command in it.
    private func withData(_ body: (URL) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeFolders(
                to: folder.appending(path: "data"),
                classes: ["ant", "bee"],
                train: 9,
                validation: 2
            )
            try await body(folder)
        }
    }

    private func show(
        _ arguments: [String],
        to name: String,
        in folder: URL
    ) async throws -> CommandResult {
        try await DeitCommand.run(
            ["data", "show", "data", "--size", "32", "--output", name] + arguments,
            in: folder
        )
    }

    @Test func aSheetIsAFunctionOfSeedEpochAndOptions() async throws {
        try await withData { folder in
            var sheets: [Data] = []
            let calls = [
                ["--recipe", "deit"], ["--recipe", "deit"], ["--recipe", "deit", "--epoch", "1"],
                ["--recipe", "deit", "--seed", "5"], ["--recipe", "deit3"],
                ["--recipe", "deit", "--reprob", "1", "--mixup", "0", "--cutmix", "0"],
            ]
            for call in calls {
                let result = try await show(
                    call + ["--columns", "4", "--rows", "2"],
                    to: "sheet.png",
                    in: folder
                )
                #expect(result.code == 0, "\(result.errors)")
                #expect(result.output.contains("8 images as \(call[1]) shows them"))
                sheets.append(try Data(contentsOf: folder.appending(path: "sheet.png")))
            }
            #expect(sheets[0].starts(with: [0x89, 0x50, 0x4E, 0x47]))
            #expect(sheets[0] == sheets[1])
            #expect(Set(sheets).count == calls.count - 1)
        }
    }

    /// A row for each image, its two large and its small crops side by side.
    @Test func severalCropsOfAImageStandInARow() async throws {
        try await withData { folder in
            let result = try await show(
                ["--recipe", "dino-cifar", "--rows", "3"],
                to: "crops.png",
                in: folder
            )
            #expect(result.code == 0, "\(result.errors)")
            #expect(result.output.contains("3 images as dino-cifar shows them"))
            let bytes = try [UInt8](Data(contentsOf: folder.appending(path: "crops.png")))
            func number(at place: Int) -> Int {
                bytes[place..<(place + 4)].reduce(0) { $0 << 8 | Int($1) }
            }
            // Four crops, of 32 pixels three times as large; the PNG's header tells width and height.
            #expect(number(at: 16) == 4 * (3 * 32 + 6))
            #expect(number(at: 20) % 3 == 0 && number(at: 20) > 3 * 3 * 32)
            try await DeitCommand.run(
                ["bench", "pipeline", "data", "--recipe", "dino-cifar"],
                in: folder
            ).expectRefusal(64, saying: "several crops")
        }
    }

    @Test func whatCannotBeShownIsTold() async throws {
        try await withData { folder in
            try await show(["--recipe", "dei"], to: "x.png", in: folder).expectRefusal(
                64,
                saying: "did you mean"
            )
            try await show([], to: "x.jpg", in: folder).expectRefusal(64, saying: ".png")
            try await show(["--columns", "0"], to: "x.png", in: folder).expectRefusal(
                64,
                saying: "--columns"
            )
            try await show(["--aa", "rand-q9"], to: "x.png", in: folder).expectRefusal(
                64,
                saying: "q9"
            )
            try await show([], to: "nowhere/x.png", in: folder).expectRefusal(1, saying: "nowhere")
            let none = try await DeitCommand.run(
                ["data", "show", "nothing-here", "--output", "x.png"],
                in: folder
            )
            none.expectRefusal(65, saying: "nothing-here")
        }
    }

    @Test func theMeasurementIsOneObject() async throws {
        try await withData { folder in
            let result = try await DeitCommand.run(
                [
                    "bench", "pipeline", "data", "--recipe", "deit", "--size", "32", "--batch", "4",
                    "--workers", "3", "--seconds", "0", "--json",
                ],
                in: folder
            )
            #expect(result.code == 0, "\(result.errors)")
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
            )
            #expect(object["workers"] as? Int == 3 && object["recipe"] as? String == "deit")
            for key in [
                "images_per_second_per_core", "evaluation_images_per_second_per_core",
                "images_per_second", "peak_memory_mib",
            ] {
                let value = try #require(object[key] as? Double, "\(key)")
                #expect(value > 0 && value.isFinite)
            }
            let stages = try #require(object["stages"] as? [String: Double])
            #expect(
                Set(stages.keys) == [
                    "read_ms", "decode_and_resize_ms", "augment_ms", "normalize_ms",
                    "mix_and_batch_ms",
                ]
            )
            #expect(stages.values.allSatisfy { $0 >= 0 })
        }
    }

    @Test(arguments: [["--workers", "0"], ["--batch", "0"], ["--seconds", "-1"]])
    func wrongOptionsAreWrongCalls(_ options: [String]) async throws {
        try await withData { folder in
            let result = try await DeitCommand.run(
                ["bench", "pipeline", "data"] + options,
                in: folder
            )
            result.expectRefusal(64, saying: options[0])
        }
    }
}
