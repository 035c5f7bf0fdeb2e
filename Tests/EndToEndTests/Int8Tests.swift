import Foundation
import TestSupport
import Testing

/// `deit convert --dtype int8`, as a user meets it.
@Suite(.serialized, .tags(.endToEnd)) struct Int8Tests {
    private func int8(_ more: [String], to form: String = "timm") -> [String] {
        ["convert", ConvertTests.fixture("timm"), "--to", form, "--dtype", "int8"] + more
    }

    @Test func aModelIsConvertedWithAnAccuracyReport() async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appending(path: "data")
            try TinyData.writeFolders(to: data, classes: ["a", "b"], train: 6, validation: 2)
            let arguments = int8(["--measure", "data", "--measure-count", "10"])
            let result = try await DeitCommand.run(
                arguments + ["--output", "out", "--json"],
                in: folder
            )
            try #require(result.code == 0, "\(result.errors)")
            let object = try #require(
                JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
            )
            let report = try #require(object["int8"] as? [String: Any])
            #expect(report["count"] as? Int == 10)
            let layers = try #require(report["layers"] as? Int)
            #expect(layers > 0 && object["int8_layers"] as? Int == layers)
            let agreement = try #require(report["agreement"] as? Double)
            #expect((0.5...1).contains(agreement))
            // The same images give the same file.
            let again = try await DeitCommand.run(arguments + ["--output", "again"], in: folder)
            #expect(again.code == 0, "\(again.errors)")
            #expect(again.output.contains("of 10 images") && again.output.contains("read back"))
            let files = try ["out", "again"].map {
                try Data(contentsOf: folder.appending(path: "\($0)/model.safetensors"))
            }
            #expect(files[0] == files[1])
            let doctor = try await DeitCommand.run(["doctor", "out"], in: folder)
            #expect(doctor.code == 0, "\(doctor.errors)")
            #expect(doctor.output.contains("\(layers) linear layers in 8 bits"))
            let image = "data/val/a/0.png"
            let classified = try await DeitCommand.run(["classify", "out", image], in: folder)
            #expect(classified.code == 0, "\(classified.errors)")
        }
    }

    @Test func wrongCallsAndDataAreOneSentence() async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appending(path: "data")
            try TinyData.writeFolders(to: data, classes: ["a"], train: 1, validation: 1)
            func refuse(_ arguments: [String], _ code: Int32, _ word: String) async throws {
                try await DeitCommand.run(arguments + ["--output", "out"], in: folder)
                    .expectRefusal(code, saying: word)
            }
            try await refuse(int8(["--measure", "data"], to: "deit"), 64, "--to timm")
            try await refuse(int8([], to: "pth"), 64, "--to timm")
            try await refuse(
                int8(["--measure", "data", "--measure-count", "0"]),
                64,
                "--measure-count"
            )
            let plain = ["convert", ConvertTests.fixture("timm"), "--to", "timm"]
            try await refuse(plain + ["--measure", "data"], 64, "--dtype int8")
            try await refuse(plain + ["--measure-count", "3"], 64, "--measure")
            try await refuse(int8(["--measure", "absent"]), 65, "absent")
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(names == ["data"])
        }
    }
}
