import Foundation
import Hub
import TestHub
import TestSupport
import Testing

/// What a pull brings, and how it lies in the cache.
struct HubPullTests {
    @Test func theFilesOfAModelLieAsPythonsClientLaysThem() async throws {
        try await HubFixture.with { fixture in
            let pulled = try await fixture.pull()
            #expect(pulled.folder == fixture.snapshot.path)
            #expect(pulled.commit == HubFixture.commit)
            #expect(pulled.unverified.isEmpty)
            let expected = [
                "README.md", "config.json", "model.safetensors", "preprocessor_config.json",
            ]
            #expect(pulled.fetched.sorted() == expected)
            let listed = try FileManager.default.contentsOfDirectory(atPath: pulled.folder)
            #expect(listed.sorted() == expected)
            #expect(try fixture.bytes("refs/main") == Array(HubFixture.commit.utf8))
            for (name, bytes) in HubFixture.model where expected.contains(name) {
                let link = try FileManager.default.destinationOfSymbolicLink(
                    atPath: fixture.snapshot.appending(path: name).path
                )
                #expect(link == "../../blobs/\(TestHub.tag(bytes))")
                #expect(try fixture.bytes("snapshots/\(HubFixture.commit)/\(name)") == bytes)
            }
            #expect(fixture.blobs.count == expected.count)
            #expect(fixture.hub.served(HubFixture.weightsName) == HubFixture.weights.count)
        }
    }

    @Test func whatIsCachedIsNotFetchedAgain() async throws {
        try await HubFixture.with { fixture in
            try await fixture.pull()
            let before = fixture.hub.requests.count
            let again = try await fixture.pull()
            #expect(again.fetched.isEmpty)
            #expect(fixture.hub.requests.dropFirst(before).map(\.key) == ["LIST"])
            // A commit never changes: nobody is asked.
            let commit = try await fixture.pull(revision: HubFixture.commit)
            #expect(commit.folder == again.folder)
            #expect(fixture.hub.requests.count == before + 1)
        }
    }

    @Test func aNewCommitFetchesWhatChanged() async throws {
        try await HubFixture.with { fixture in
            try await fixture.pull()
            let next = String(repeating: "b2", count: 20)
            let changed = HubFixture.model.merging(["config.json": Array("{\"a\": 1}".utf8)]) { $1 }
            fixture.hub.publish(HubFixture.name, commit: next, changed)
            let pulled = try await fixture.pull()
            #expect(pulled.commit == next)
            #expect(try fixture.bytes("snapshots/\(next)/config.json") == Array("{\"a\": 1}".utf8))
            #expect(try fixture.bytes("refs/main") == Array(next.utf8))
            // The same weights are the same blob.
            #expect(fixture.hub.requests("GET model.safetensors").count == 1)
            let links = ["model.safetensors", "README.md"].map { "snapshots/\(next)/\($0)" }
            #expect(try links.map(fixture.bytes) == [HubFixture.weights, Array("# Tiny".utf8)])
            try fixture.expectWeights()
        }
    }

    @Test func branchesWithSlashesAndPatternsWork() async throws {
        try await HubFixture.with { fixture in
            var files = HubFixture.model
            files["onnx/a b.onnx"] = Array("graph".utf8)
            fixture.hub.publish(HubFixture.name, commit: HubFixture.commit, files)
            let pulled = try await fixture.pull(
                revision: "refs/pr/1",
                files: HubFileSelection(include: ["*.onnx", "*.json"], exclude: ["pre*"])
            )
            #expect(pulled.fetched.sorted() == ["config.json", "onnx/a b.onnx"])
            #expect(
                try fixture.bytes("snapshots/\(HubFixture.commit)/onnx/a b.onnx")
                    == Array("graph".utf8)
            )
            let link = try FileManager.default.destinationOfSymbolicLink(
                atPath: fixture.snapshot.appending(path: "onnx/a b.onnx").path
            )
            #expect(link.hasPrefix("../../../blobs/"))
            #expect(try fixture.bytes("refs/refs/pr/1") == Array(HubFixture.commit.utf8))
            #expect(fixture.hub.requests.contains { $0.path.contains("/revision/refs%2Fpr%2F1") })
        }
    }

    @Test func shardsComeWithTheirIndex() async throws {
        try await HubFixture.with { fixture in
            let index = """
                {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors",
                 "c": "model-1.safetensors"}}
                """
            fixture.hub.publish(
                HubFixture.name,
                commit: HubFixture.commit,
                [
                    "config.json": HubFixture.config,
                    "model.safetensors.index.json": Array(index.utf8),
                    "model-1.safetensors": [1], "model-2.safetensors": [2],
                    "other.safetensors": [3],
                ]
            )
            let pulled = try await fixture.pull()
            #expect(
                pulled.fetched.sorted() == [
                    "config.json", "model-1.safetensors", "model-2.safetensors",
                    "model.safetensors.index.json",
                ]
            )
            let cache = try fixture.client().cache
            #expect(cache.missingFiles(of: "main", in: fixture.repository).isEmpty)
            try FileManager.default.removeItem(
                at: fixture.snapshot.appending(path: "model-2.safetensors")
            )
            #expect(
                cache.missingFiles(of: "main", in: fixture.repository) == ["model-2.safetensors"]
            )
        }
    }

    @Test func pickledWeightsServeWhereThereAreNoOthers() async throws {
        try await HubFixture.with { fixture in
            var files = HubFixture.model
            files[HubFixture.weightsName] = nil
            fixture.hub.publish(HubFixture.name, commit: HubFixture.commit, files)
            let pulled = try await fixture.pull()
            #expect(pulled.fetched.contains("pytorch_model.bin"))
        }
    }

    @Test func eventsTellHowFarItIs() async throws {
        try await HubFixture.with { fixture in
            try await fixture.pull(files: HubFileSelection(include: ["model.safetensors"]))
            let events = fixture.events.all
            let size = HubFixture.weights.count
            #expect(events.first == .planned(commit: HubFixture.commit, bytes: size, files: 1))
            let finished = HubEvent.finished(
                file: HubFixture.weightsName,
                size: size,
                isVerified: true
            )
            #expect(events.last == finished)
            #expect(
                events.contains(
                    .received(file: HubFixture.weightsName, bytes: size, size: size)
                )
            )
        }
    }

    @Test func aTagOfAnotherKindIsToldToBeUnverified() async throws {
        try await HubFixture.with { fixture in
            fixture.hub.fail("HEAD README.md", with: .fields(["ETag": "W/\"mirror-7\""]))
            let pulled = try await fixture.pull()
            #expect(pulled.unverified == ["README.md"])
            #expect(fixture.exists("blobs/mirror-7"))
        }
    }

    @Test func twoPullsAtOnceFetchOnce() async throws {
        try await HubFixture.with { fixture in
            fixture.hub.fail("GET model.safetensors", with: .gate(after: 1_000))
            async let first = fixture.pull()
            async let second = fixture.pull()
            // One holds the lock of the weights, and the other has said that it waits.
            while !fixture.events.all.contains(.waiting(file: HubFixture.weightsName)) {
                try await Task.sleep(for: .milliseconds(2))
            }
            fixture.hub.openGate()
            let both = try await [first, second]
            #expect(both[0].folder == both[1].folder)
            #expect(fixture.hub.requests("GET model.safetensors").count == 1)
            #expect(fixture.hub.served(HubFixture.weightsName) == HubFixture.weights.count)
            try fixture.expectWeights()
        }
    }
}
