import Foundation
import TestSupport
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
        ["--rounds", "0"], ["--repeats", "-1"], ["--dtypes", "int8", "--kind", "training"],
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
                "1", "--seconds", "0", "--dtypes", "fp32,int8", "--repeats", "0",
            ],
            in: folder,
            environment: ["PEERS_PYTHON": "/bin/true"]
        )
        #expect(result.code == 0, "\(result.errors)")
        for peer in ["timm", "compile", "onnxruntime", "openvino"] {
            #expect(result.output.contains("\(peer)-"), "\(result.output)")
        }
        #expect(result.output.contains("skipped: "))
        // Ours in 8 bits stands beside ours in the type that it would have otherwise.
        #expect(result.output.contains("deit-bf16") && result.output.contains("images/s"))
        #expect(result.output.contains("p50") && result.output.contains("p95"))
        #expect(result.output.split(separator: "\n").first?.contains(" cores") == true)
    }

    /// The script travels inside the command, together with what it imports.
    @Test(.needsPeers("torch", "timm")) func aPeerIsMeasured() async throws {
        let result = try await DeitCommand.run(
            [
                "bench", "peers", "--models", "deit_tiny_patch16_224", "--batches", "1", "--rounds",
                "1", "--seconds", "0", "--dtypes", "fp32", "--repeats", "1", "--json",
            ],
            in: folder,
            environment: ["PEERS_PYTHON": try #require(Peers.python)]
        )
        #expect(result.code == 0, "\(result.errors)")
        let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
        let report = try #require(object as? [String: Any])
        let machine = try #require(report["machine"] as? [String: Any])
        #expect((machine["cores"] as? Int ?? 0) > 0)
        let row = try #require((report["rows"] as? [[String: Any]])?.first)
        #expect(row["rounds"] as? Int == 1)
        let measured = try #require(row["measured"] as? [String: [String: Any]])
        let timm = try #require(measured["timm-fp32"])
        let rate = try #require(timm["images_per_second"] as? Double, "\(timm)")
        #expect(rate > 0 && rate.isFinite)
        for name in ["timm-fp32", "deit"] {
            let p50 = try #require(measured[name]?["p50_ms"] as? Double)
            let p95 = try #require(measured[name]?["p95_ms"] as? Double)
            #expect(0 < p50 && p50 <= p95, "\(name)")
        }
    }

    @Test func aTeacherStandsBesideItsOwnInference() async throws {
        let arguments = [
            "bench", "training", "--model", "deit_nano_distilled_patch4_28", "--batch", "2",
            "--seconds", "0", "--dtype", "fp32",
        ]
        let result = try await DeitCommand.run(
            arguments + ["--teacher", "deit_nano_patch4_28", "--json"],
            in: folder
        )
        #expect(result.code == 0, "\(result.errors)")
        let json = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
        let object = try #require(json as? [String: Any])
        #expect(object["kind"] as? String == "training" && object["steps"] as? Int == 5)
        let teacher = try #require(object["teacher"] as? [String: Any])
        #expect(
            Set(teacher.keys) == [
                "model", "images_per_second", "inference_images_per_second", "share",
            ]
        )
        #expect(teacher["model"] as? String == "deit_nano_patch4_28")
        for key in ["images_per_second", "inference_images_per_second"] {
            let rate = try #require(teacher[key] as? Double)
            #expect(rate > 0 && rate.isFinite, "\(key)")
        }
        let share = try #require(teacher["share"] as? Double)
        #expect(share > 0 && share < 1)
        for (name, word) in [
            ("resnet18", "choose a teacher with the same"), ("resnet19", "resnet18"),
        ] {
            try await DeitCommand.run(arguments + ["--teacher", name], in: folder)
                .expectRefusal(64, saying: name, word)
        }
    }
}
