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
            #expect(tiny?["top1"] as? Double == 74.476)
            #expect(tiny?["weights"] as? String == "facebook/deit-tiny-distilled-patch16-224")
            let macs = try #require(tiny?["macs"] as? Int)
            #expect((1_255_000_000...1_270_000_000).contains(macs))
            let micro = models.first { $0["name"] as? String == "deit_micro_patch4_28" }
            #expect(micro?["top1"] is NSNull && micro?["weights"] is NSNull)

            let lite = models.first { $0["name"] as? String == "tf_efficientnet_lite1" }
            let images = try #require(lite?["images"] as? [String: Any])
            // 240 / 0.882, as timm has it.
            #expect(images["resize"] as? Int == 272)
            #expect(images["interpolation"] as? String == "bicubic")
            #expect(images["mean"] as? [Double] == [0.5, 0.5, 0.5])
            let resNet = models.first { $0["name"] as? String == "resnet50" }
            #expect((resNet?["images"] as? [String: Any])?["resize"] as? Int == 235)

            let all = try await DeitCommand.run(["models", "?*"], in: folder)
            let lines = all.output.split(separator: "\n")
            #expect(lines.count == models.count + 1)
            let line = lines.first { $0.hasPrefix("deit_tiny_distilled_patch16_224 ") }
            #expect(
                line?.split(separator: " ").map(String.init) == [
                    "deit_tiny_distilled_patch16_224", "5.91",
                    String(format: "%.3f", Double(macs) / 1e9), "3×224×224", "1000", "74.48",
                    "apache-2.0", "facebook/deit-tiny-distilled-patch16-224",
                ]
            )
            let some = try await self.models(["Distilled"], in: folder)
            #expect(some.count > 5 && some.count < models.count)
            #expect(some.allSatisfy { ($0["name"] as? String)?.contains("_distilled_") == true })
            try await DeitCommand.run(["models", "deit_tiny_patch16_242"], in: folder)
                .expectRefusal(64, saying: "deit_tiny_patch16_242", "deit_tiny_patch16_224")
            try await listsFamilies(models, in: folder)
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

    private func listsFamilies(_ models: [[String: Any]], in folder: URL) async throws {
        let families = try await DeitCommand.run(["models"], in: folder)
        let lines = families.output.split(separator: "\n").map {
            $0.split(separator: " ").map(String.init)
        }
        #expect(lines.count < 24 && lines.first?.prefix(3) == ["family", "models", "weights"])
        #expect(lines.first { $0.first == "dinov2" }?.prefix(3) == ["dinov2", "8", "8"])
        let listed = try await self.models(["--family", "DINOv2"], in: folder)
        let matching = try await self.models(["VIT_*dinov2*"], in: folder)
        let names = listed.compactMap { $0["name"] as? String }
        #expect(names.count == 8 && names == matching.compactMap { $0["name"] as? String })
        let small = try #require(listed.first)
        #expect(small["name"] as? String == "vit_small_patch14_dinov2.lvd142m")
        #expect(small["input"] as? [Int] == [3, 518, 518] && small["classes"] as? Int == 0)
        #expect(small["license"] as? String == "apache-2.0")
        #expect(small["weights"] as? String == "timm/vit_small_patch14_dinov2.lvd142m")
        // A pattern for the name without its tag.
        let sigLIP = try await self.models(["vit_so400m_patch14_siglip_gap_448"], in: folder)
        let ending = try await self.models(["*so400m*_gap_448"], in: folder)
        #expect(sigLIP.count == 8 && ending.count == 8)
        try await DeitCommand.run(["models", "--family", "dinov22"], in: folder)
            .expectRefusal(64, saying: "dinov22", "dinov2")
        try await DeitCommand.run(["models", "vit_*dinov9*"], in: folder)
            .expectRefusal(64, saying: "vit_*dinov9*", "deit models")
    }
}
