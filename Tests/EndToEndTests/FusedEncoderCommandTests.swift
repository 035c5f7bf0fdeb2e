import Foundation
import TestSupport
import Testing

/// The fused encoder through the command, in every type; the other tests compute layer by layer.
@Suite(.serialized, .tags(.endToEnd)) struct FusedEncoderCommandTests {
    private struct Entry: Decodable {
        struct Prediction: Decodable {
            let index: Int
            let score: Double
        }

        let predictions: [Prediction]
    }

    @Test func scoresAreThoseOfTheLayers() async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appending(path: "data")
            try TinyData.writeFolders(to: data, classes: ["a", "b", "c"], train: 6, validation: 2)
            let trained = try await DeitCommand.run(
                ["train"] + TinyRun.options + [
                    "--epochs", "1", "--data", "data", "--output", "run",
                ],
                in: folder
            )
            try #require(trained.code == 0, "\(trained.errors)")
            let kernels = try await encoderKernels(in: folder)
            guard kernels["fused_fp32"] != nil else { return }
            let expected = try await scores(of: "run", "fp32", "libtorch", in: folder)
            for (dtype, tolerance) in [("fp32", 1e-4), ("bf16", 2e-2)]
            where kernels["fused_\(dtype)"] != nil {
                let found = try await scores(of: "run", dtype, "fused", in: folder)
                expectNear(found, expected, tolerance: tolerance, dtype)
            }
            let converted = try await DeitCommand.run(
                [
                    "convert", "run", "--to", "timm", "--dtype", "int8", "--output", "int8",
                    "--measure", "data/val", "--json",
                ],
                in: folder
            )
            try #require(converted.code == 0, "\(converted.errors)")
            let object = try #require(
                JSONSerialization.jsonObject(with: Data(converted.output.utf8)) as? [String: Any]
            )
            let report = try #require(object["int8"] as? [String: Any])
            #expect(report["computed_in_int8"] as? Bool == (kernels["fused_int8"] != nil))
            #expect(report["top1_after"] is Double)
            let rounded = try await scores(of: "int8", "fp32", "libtorch", in: folder)
            let found = try await scores(of: "int8", "fp32", "fused", in: folder)
            expectNear(found, rounded, tolerance: 4e-2, "int8")
            if kernels["fused_int8"] != nil { #expect(found != rounded) }
        }
    }

    /// The encoder's kernels by the rows of `deit doctor`, without those that are not on this processor.
    private func encoderKernels(in folder: URL) async throws -> [String: String] {
        let result = try await DeitCommand.run(["doctor", "--json"], in: folder)
        try #require(result.code == 0, "\(result.errors)")
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
        )
        return object.compactMapValues { $0 as? String }
            .filter { $0.key.hasPrefix("fused_") && $0.value != "not on this processor" }
    }

    /// The scores of two images, by class.
    private func scores(
        of model: String,
        _ dtype: String,
        _ kernels: String,
        in folder: URL
    ) async throws -> [Double] {
        let result = try await DeitCommand.run(
            [
                "classify", model, "--dtype", dtype, "--json", "data/val/a/0.png",
                "data/val/b/1.png",
            ],
            in: folder,
            environment: ["DEIT_COMPUTE": kernels]
        )
        try #require(result.code == 0, "\(result.errors)")
        let entries = try JSONDecoder().decode([Entry].self, from: Data(result.output.utf8))
        return entries.flatMap { entry in
            entry.predictions.sorted { $0.index < $1.index }.map(\.score)
        }
    }

    private func expectNear(
        _ found: [Double],
        _ expected: [Double],
        tolerance: Double,
        _ name: String
    ) {
        #expect(found.count == 6 && expected.count == 6, "\(name)")
        for (a, b) in zip(found, expected) { #expect(abs(a - b) <= tolerance, "\(name)") }
    }
}
