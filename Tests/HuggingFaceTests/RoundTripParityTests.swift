import Checkpoints
import Foundation
import HuggingFace
import TestSupport
import Testing
import Torch
import TorchNN

/// transformers loads what every class writes, with no key too few or too many, and computes the same.
@ModelActor
@Suite(
    .tags(.parity),
    .enabled(
        if: Peers.python != nil,
        "needs a Python with transformers 5: PEERS_PYTHON, or the one of ../shared/peers/setup.sh"
    )
)
struct RoundTripParityTests {
    @Test func transformersLoadsEveryClass() async throws {
        let python = try #require(Peers.python)
        try await withTemporaryFolder { root in
            var folders: [String] = []
            for (seed, name) in Cases.all.enumerated() {
                let folder = root.appending(path: name).path
                let loaded = try await Classes.load(name)
                try manualSeed(UInt64(seed))
                try write(
                    loaded,
                    inputs: Fixtures.tensors("\(name)/outputs.safetensors"),
                    to: folder
                )
                folders.append(folder)
            }
            let (status, text) = try run(
                python,
                [Checkout.root.appending(path: "Tools/parity/check_huggingface.py").path] + folders
            )
            #expect(status == 0, "\(text)")
            #expect(
                text.split(separator: "\n").count { $0.hasPrefix("ok") } == folders.count,
                "\(text)"
            )
        }
    }

    /// Writes a model whose every number was drawn here, with its outputs beside it.
    private func write(
        _ model: some PretrainedModel,
        inputs: Fixture,
        to folder: String
    ) throws {
        try withoutGradient {
            for (name, tensor) in try model.stateDict() {
                let isScale = tensor.rank == 1 && name.hasSuffix(".weight")
                try tensor.fillNormal(mean: isScale ? 1 : 0, std: 0.3)
            }
        }
        try model.savePretrained(to: folder)
        var inputs = try Inputs(inputs)
        inputs.other = nil
        let outputs = try Runner.outputs(of: model, inputs)
        try Safetensors.write(inputs.named + outputs.tensors, to: "\(folder)/probe.safetensors")
    }

    private func run(
        _ program: String,
        _ arguments: [String]
    ) throws -> (status: Int32, text: String) {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(),
            as: UTF8.self
        )
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }
}

/// The reference implementations on this machine.
enum Peers {
    /// A Python with transformers, if there is one.
    static var python: String? {
        let environment = ProcessInfo.processInfo.environment
        if let named = environment["PEERS_PYTHON"] { return named }
        let cache = environment["XDG_CACHE_HOME"] ?? "\(environment["HOME"] ?? "")/.cache"
        let usual = "\(cache)/swift-deit/peers/bin/python"
        return FileManager.default.isExecutableFile(atPath: usual) ? usual : nil
    }
}
