import Foundation
import TestSupport
import Testing

/// `--device` as a user meets it on a machine where the device is not.
@Suite struct DeviceCommandTests {
    @Test(arguments: [
        ["classify", "absent", "cat.jpg"], ["evaluate", "absent", "--data", "nowhere"],
        ["features", "absent", "--data", "nowhere", "--output", "f.npy"],
        ["attention", "absent", "cat.jpg", "--output", "maps"],
        ["train", "--data", "nowhere", "--output", "run"],
        ["pretrain", "dino", "--data", "nowhere", "--output", "run"],
        ["pretrain", "mim", "--data", "nowhere", "--output", "run"],
        ["bench", "inference", "--seconds", "0"], ["bench", "parity"],
        ["data", "check", "nowhere"],
    ])
    func anAbsentDeviceIsAWrongCall(_ arguments: [String]) async throws {
        try await withTemporaryFolder { folder in
            let result = try await DeitCommand.run(
                arguments + ["--device", "cuda:100"],
                in: folder
            )
            result.expectRefusal(64, saying: "cuda:100 cannot be used", "--device")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
            let unknown = try await DeitCommand.run(arguments + ["--device", "gpu"], in: folder)
            #expect(unknown.code == 64, "\(unknown.errors)")
        }
    }

    @Test func doctorListsDevices() async throws {
        let result = try await DeitCommand.run(
            ["doctor"],
            in: FileManager.default.temporaryDirectory
        )
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.output.contains("device cpu"))
        let lines = result.output.split(separator: "\n")
        for kind in ["CUDA", "MPS"] {
            // Either the device or the reason why there is none.
            let isListed = lines.contains {
                $0.hasPrefix("device \(kind.lowercased())") || $0.hasPrefix("no \(kind) ")
            }
            #expect(isListed, "\(result.output)")
        }
    }

    @Test func parityOfTheCPUWithItselfIsExact() async throws {
        let result = try await DeitCommand.run(
            ["bench", "parity", "--device", "cpu", "--models", "resnet8_cifar", "--json"],
            in: FileManager.default.temporaryDirectory
        )
        #expect(result.code == 0, "\(result.errors)")
        let json = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
        let row = try #require((json as? [[String: Any]])?.first)
        #expect(row["logits"] as? Double == 0 && row["gradients"] as? Double == 0)
    }
}
