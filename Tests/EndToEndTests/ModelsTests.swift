import Foundation
import TestSupport
import Testing

/// `deit models` as a user and a program meet it.
@Suite(.tags(.endToEnd)) struct ModelsTests {
    private func models(_ arguments: [String], in folder: URL) async throws -> [[String: Any]] {
        let result = try await DeitCommand.run(["models", "--json"] + arguments, in: folder)
        #expect(result.code == 0 && result.errors.isEmpty, "\(result.errors)")
        let list = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
        return try #require(list as? [[String: Any]])
    }

    @Test func listsModels() async throws {
        try await withTemporaryFolder { folder in
            let models = try await models([], in: folder)
            let tiny = models.first { $0["name"] as? String == "deit_tiny_distilled_patch16_224" }
            #expect(tiny?["parameters"] as? Int == 5_910_800)
            #expect(tiny?["input"] as? [Int] == [3, 224, 224])
            let text = try await DeitCommand.run(["models"], in: folder)
            #expect(text.output.contains("5,910,800"))
            #expect(text.output.split(separator: "\n").count >= models.count + 1)
            // A result that cannot be written is a failure.
            let full = try await DeitCommand.start(
                ["-c", "\"$0\" models > /dev/full", DeitCommand.binary.path],
                in: folder,
                program: URL(filePath: "/bin/sh")
            ).result()
            full.expectRefusal(1, saying: "No space left")
            try await DeitCommand.run(["models", "--jsn"], in: folder)
                .expectRefusal(64, saying: "--json")
        }
    }
}
