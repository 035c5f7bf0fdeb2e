import Foundation
import Testing

/// What `deit bench` accepts and refuses; never how fast anything is.
@Suite struct BenchTests {
    private let folder = FileManager.default.temporaryDirectory

    @Test func peersWithoutPythonIsAWrongCall() async throws {
        let result = try await DeitCommand.run(
            ["bench", "peers"],
            in: folder,
            environment: ["PEERS_PYTHON": ""]
        )
        result.expectRefusal(64, saying: "PEERS_PYTHON is not set")
    }

    @Test(arguments: [
        ["--batches", "1,x"], ["--dtypes", "fp64"], ["--models", "no_such_model"],
        ["--rounds", "0"],
    ])
    func wrongOptionIsAWrongCall(_ options: [String]) async throws {
        let result = try await DeitCommand.run(["bench", "peers"] + options, in: folder)
        result.expectRefusal(64, saying: options[1].hasPrefix("no_") ? options[1] : options[0])
        #expect(result.output.isEmpty)
    }

    /// A program that never answers is told, and our own rate is still printed.
    @Test func peerThatEndsIsLeftOut() async throws {
        let result = try await DeitCommand.run(
            [
                "bench", "peers", "--models", "deit_nano_patch4_28", "--batches", "1", "--rounds",
                "1", "--seconds", "0", "--dtypes", "fp32",
            ],
            in: folder,
            environment: ["PEERS_PYTHON": "/bin/true"]
        )
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.output.contains("timm-fp32") && result.output.contains("left out"))
        #expect(result.output.contains("images/s"))
    }
}
