import Foundation
import TestHub
import TestSupport
import Testing

/// `deit pull`, and names on the hub in the other commands, against a hub on loopback.
@Suite(.serialized, .tags(.endToEnd)) struct PullTests {
    private static let name = "ORG/tiny"
    private static let commit = String(repeating: "a1", count: 20)

    private func online(_ hub: TestHub) -> [String: String] {
        ["HF_ENDPOINT": hub.address, "HF_HUB_OFFLINE": ""]
    }

    private func snapshot(in folder: URL) -> URL {
        folder.appending(path: "hf-home/hub/models--ORG--tiny/snapshots/\(Self.commit)")
    }

    @Test func aTrainedModelComesBackFromTheHubByName() async throws {
        try await TestHub.with { hub in
            try await withTemporaryFolder { folder in
                let data = folder.appending(path: "data")
                try TinyData.writeFolders(
                    to: data,
                    classes: ["ant", "bee"],
                    train: 8,
                    validation: 2
                )
                let train = ["--epochs", "1", "--data", "data", "--output", "run"]
                let trained = try await DeitCommand.run(
                    ["train"] + TinyRun.options + train,
                    in: folder
                )
                #expect(trained.code == 0, "\(trained.errors)")
                try publish(folder.appending(path: "run/checkpoints/best"), on: hub)
                try await pull(from: hub, in: folder)
                try await classify(in: folder, online(hub))
                try await convertAndExamine(in: folder)
                try await useByTimmsName(on: hub, in: folder)
            }
        }
    }

    private func publish(_ model: URL, as name: String = Self.name, on hub: TestHub) throws {
        var files: [String: [UInt8]] = [:]
        for name in ["config.json", "preprocessor_config.json", "model.safetensors"] {
            files[name] = [UInt8](try Data(contentsOf: model.appending(path: name)))
        }
        hub.publish(name, commit: Self.commit, files)
    }

    private func pull(from hub: TestHub, in folder: URL) async throws {
        let environment = online(hub)
        hub.fail("GET model.safetensors", with: .status(503, ["Retry-After": "0"]))
        let first = try await DeitCommand.run(
            ["pull", Self.name],
            in: folder,
            environment: environment
        )
        #expect(first.code == 0, "\(first.errors)")
        #expect(first.output == snapshot(in: folder).path + "\n")
        #expect(first.errors.contains("downloading 3 files"), "\(first.errors)")
        #expect(first.errors.contains("status 503; trying again"), "\(first.errors)")
        let asked = hub.requests.count
        let second = try await DeitCommand.run(["pull", Self.name, "--json"], in: folder)
        #expect(second.code == 0, "\(second.errors)")
        let object = try JSONSerialization.jsonObject(with: Data(second.output.utf8))
        let report = try #require(object as? [String: Any])
        #expect(report["commit"] as? String == Self.commit)
        #expect(report["folder"] as? String == snapshot(in: folder).path)
        #expect(report["fetched"] as? [String] == [])
        #expect(hub.requests.count == asked)
    }

    /// By name and by path, offline and with the hub at hand, which need not be asked.
    private func classify(in folder: URL, _ online: [String: String]) async throws {
        let image = "data/val/ant/0.png"
        let path = try await DeitCommand.run(
            ["classify", "run", image, "--json"],
            in: folder
        )
        #expect(path.code == 0, "\(path.errors)")
        for environment in [[:], online] {
            let name = try await DeitCommand.run(
                ["classify", Self.name, image, "--json"],
                in: folder,
                environment: environment
            )
            #expect(name.code == 0, "\(name.errors)")
            #expect(name.output == path.output)
        }
    }

    /// timm's name of weights is a checkpoint: what its repository contains is classified with and trained on.
    private func useByTimmsName(on hub: TestHub, in folder: URL) async throws {
        let name = "vit_tiny_patch16_224.augreg_in21k_ft_in1k"
        try publish(folder.appending(path: "run/checkpoints/best"), as: "timm/\(name)", on: hub)
        func run(_ arguments: [String]) async throws -> CommandResult {
            try await DeitCommand.run(arguments, in: folder, environment: online(hub))
        }
        let image = "data/val/ant/0.png"
        let path = try await run(["classify", "run", image, "--json"])
        let byName = try await run(["classify", name, image, "--json"])
        #expect(byName.code == 0 && byName.output == path.output, "\(byName.errors)")
        let tuned = try await run(
            ["finetune", name, "--data", "data", "--epochs", "1", "--output", "tuned"]
        )
        #expect(tuned.code == 0, "\(tuned.errors)")
        let settings = try String(
            contentsOf: folder.appending(path: "tuned/run.yaml"),
            encoding: .utf8
        )
        #expect(settings.contains("models--timm--\(name)/snapshots"), "\(settings)")
    }

    private func convertAndExamine(in folder: URL) async throws {
        let convert = ["convert", Self.name, "--to", "safetensors", "--output", "bare.safetensors"]
        let converted = try await DeitCommand.run(convert, in: folder)
        #expect(converted.code == 0, "\(converted.errors)")
        let examined = try await DeitCommand.run(["doctor", Self.name, "--json"], in: folder)
        #expect(examined.output.contains("models--ORG--tiny/snapshots"), "\(examined.errors)")
        let evaluated = try await DeitCommand.run(
            ["evaluate", Self.name, "--data", "data"],
            in: folder
        )
        #expect(evaluated.code == 0, "\(evaluated.errors)")
    }

    /// timm's name of weights is the repository `timm/NAME`, whatever the network in it.
    @Test func timmsNamesAreRepositories() async throws {
        try await TestHub.with { hub in
            try await withTemporaryFolder { folder in
                let name = "vit_small_patch16_224.dino"
                let files = [
                    "config.json": Self.timmConfiguration, "model.safetensors": [1, 2, 3],
                ]
                hub.publish("timm/\(name)", commit: Self.commit, files)
                let clip = "timm/vit_base_patch16_clip_224.openai"
                hub.publish(clip, commit: Self.commit, files)
                func run(_ arguments: [String]) async throws -> CommandResult {
                    try await DeitCommand.run(arguments, in: folder, environment: online(hub))
                }
                for (called, repository) in [
                    (name, "timm--\(name)"), ("vit_small_patch16_224_dino", "timm--\(name)"),
                    (
                        "vit_base_patch16_clip_quickgelu_224.openai",
                        "timm--vit_base_patch16_clip_224.openai"
                    ),
                ] {
                    let pulled = try await run(["pull", called])
                    #expect(pulled.code == 0, "\(pulled.errors)")
                    #expect(pulled.output.contains("models--\(repository)/snapshots"))
                }
                // The weights are found in the cache, and are none.
                let classified = try await run(["classify", name, "cat.png"])
                classified.expectRefusal(65, saying: "models--timm--\(name)", "model.safetensors")

                // OpenAI's weights are one repository for both activations.
                try await run(["classify", "vit_base_patch16_clip_quickgelu_224.openai", "cat.png"])
                    .expectRefusal(64, saying: "vit_small_patch16_224", "--preset", "quickgelu")

                try await run(["pull", "vit_small_patch16_224.dno"])
                    .expectRefusal(65, saying: "the Hub has no", "did you mean \"\(name)\"")
                try await run(["pull", "timm/vit_small_patch16_224.dno"])
                    .expectRefusal(65, saying: "did you mean \"timm/\(name)\"")
                try await run(["classify", "vit_small_patch16_224.dno", "cat.png"])
                    .expectRefusal(65, saying: "did you mean \"\(name)\"")
                try await run(["finetune", "vit_small_patch8_224", "--data", "data"])
                    .expectRefusal(64, saying: "no weights", "vit_small_patch8_224.dino")
                try await run(["classify", "deit_tiny_patch16_224", "cat.png"])
                    .expectRefusal(64, saying: "no weights", "facebook/deit-tiny-patch16-224")
                try await run(["pull", "vit_huge_patch14_gap_224.in1k_ijepa"])
                    .expectRefusal(64, saying: "not on the Hub", "https://dl.fbaipublicfiles.com")
            }
        }
    }

    private static let timmConfiguration = Array(
        """
        {"architecture": "vit_small_patch16_224", "num_classes": 0,
         "pretrained_cfg": {"input_size": [3, 224, 224]}}
        """.utf8
    )

    @Test func interruptedPullsGoOn() async throws {
        try await TestHub.with { hub in
            try await withTemporaryFolder { folder in
                let weights = [UInt8](repeating: 5, count: 90_000)
                hub.publish(
                    Self.name,
                    commit: Self.commit,
                    ["config.json": [0x7B, 0x7D], "model.safetensors": weights]
                )
                hub.fail("GET model.safetensors", with: .silence(after: 50_000))
                let environment = online(hub).merging(["HF_HUB_DOWNLOAD_TIMEOUT": "600"]) { $1 }
                let running = try DeitCommand.start(
                    ["pull", Self.name],
                    in: folder,
                    environment: environment
                )
                let blobs = folder.appending(path: "hf-home/hub/models--ORG--tiny/blobs")
                let partial = blobs.appending(path: TestHub.tag(weights) + ".incomplete")
                try await running.wait {
                    (try? Data(contentsOf: partial).count) == 50_000
                }
                running.send(SIGINT)
                let interrupted = try await running.result()
                interrupted.expectRefusal(130, saying: "stopped", "continues")
                let files = FileManager.default
                #expect(!files.fileExists(atPath: snapshot(in: folder).path + "/model.safetensors"))
                let again = try await DeitCommand.run(
                    ["pull", Self.name],
                    in: folder,
                    environment: environment
                )
                #expect(again.code == 0, "\(again.errors)")
                #expect(
                    hub.requests("GET model.safetensors").map(\.range) == [nil, "bytes=50000-"]
                )
                #expect(hub.served("model.safetensors") == weights.count)
                #expect(!files.fileExists(atPath: partial.path))
            }
        }
    }

    /// A limit on the size of files stands in for a full disk: both make `write` fail.
    @Test func aFullDiskKeepsWhatFits() async throws {
        try await TestHub.with { hub in
            try await withTemporaryFolder { folder in
                let weights = [UInt8](repeating: 5, count: 90_000)
                hub.publish(Self.name, commit: Self.commit, ["model.safetensors": weights])
                let command = "ulimit -f 32; exec \"$0\" pull \(Self.name)"
                let limited = try DeitCommand.start(
                    ["-c", command, DeitCommand.binary.path],
                    in: folder,
                    environment: online(hub),
                    program: URL(filePath: "/bin/bash")
                )
                try await limited.result().expectRefusal(1, saying: "cache", ".incomplete", "large")
                let again = try await DeitCommand.run(
                    ["pull", Self.name],
                    in: folder,
                    environment: online(hub)
                )
                #expect(again.code == 0, "\(again.errors)")
                #expect(hub.requests("GET model.safetensors").last?.range == "bytes=32768-")
            }
        }
    }

    @Test func whatCannotBeHadIsRefusedInOneSentence() async throws {
        try await TestHub.with { hub in
            try await withTemporaryFolder { folder in
                hub.publish(Self.name, commit: Self.commit, ["model.safetensors": [1, 2, 3]])
                func run(
                    _ arguments: [String],
                    _ more: [String: String] = [:]
                ) async throws
                    -> CommandResult
                {
                    try await DeitCommand.run(
                        arguments,
                        in: folder,
                        environment: online(hub).merging(more) { $1 }
                    )
                }
                try await run(["pull", "a/b/c"]).expectRefusal(64, saying: "a/b/c", "ORG/NAME")
                try await run(["pull", Self.name], ["HF_ENDPOINT": "hub"])
                    .expectRefusal(64, saying: "HF_ENDPOINT")
                try await run(["pull", "ORG/none"]).expectRefusal(
                    65,
                    saying: "no repository ORG/none"
                )
                try await run(["pull", Self.name, "--revision", "v9"])
                    .expectRefusal(65, saying: "v9", "branch")
                try await run(["pull", Self.name], ["HF_HUB_OFFLINE": "1"])
                    .expectRefusal(65, saying: Self.name, "HF_HUB_OFFLINE")
                try await run(["classify", "ORG/none", "cat.png"])
                    .expectRefusal(
                        65,
                        saying: "ORG/none is neither a file or directory",
                        "no repository"
                    )
                hub.fail("GET model.safetensors", with: .bytes([3, 2, 1]))
                try await run(["pull", Self.name])
                    .expectRefusal(65, saying: "model.safetensors", "git sha1")
                hub.require(token: "hf_right")
                try await run(["pull", Self.name]).expectRefusal(1, saying: "HF_TOKEN")
                let wrong = try await run(["pull", Self.name, "--token", "hf_wrong"])
                wrong.expectRefusal(1, saying: Self.name)
                #expect(!wrong.errors.contains("hf_wrong"))
                let right = try await run(["pull", Self.name], ["HF_TOKEN": "hf_right"])
                #expect(right.code == 0, "\(right.errors)")
            }
        }
    }
}
