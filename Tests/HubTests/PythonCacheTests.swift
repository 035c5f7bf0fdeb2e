import Foundation
import Hub
import TestHub
import TestSupport
import Testing

/// Python's hub client finds what we fetched, and we find what it fetched.
@Suite(.needsPeers("huggingface_hub"))
struct PythonCacheTests {
    private static let files = ["config.json", "preprocessor_config.json", "model.safetensors"]

    @Test func pythonFindsWhatWeFetched() async throws {
        try await HubFixture.with { fixture in
            try await fixture.pull()
            let report = try await python("find", Self.files, fixture, ["HF_HUB_OFFLINE": "1"])
            #expect(report["snapshot"] as? String == fixture.snapshot.path)
            let found = try #require(report["files"] as? [String: String])
            for name in Self.files {
                #expect(found[name] == fixture.snapshot.appending(path: name).path)
            }
            #expect(report["warnings"] as? [String] == [])
            #expect(report["refs"] as? [String: String] == ["main": HubFixture.commit])
        }
    }

    @Test func pythonUnderstandsThatAFileIsAbsent() async throws {
        try await HubFixture.with { fixture in
            let files = HubFixture.model.filter { $0.key != "preprocessor_config.json" }
            fixture.hub.publish(HubFixture.name, commit: HubFixture.commit, files)
            try await fixture.pull()
            let report = try await python("find", ["config.json"], fixture, ["HF_HUB_OFFLINE": "1"])
            #expect(report["preprocessor_known_absent"] as? Bool == true)
        }
    }

    @Test func weFindWhatPythonFetched() async throws {
        try await HubFixture.with { fixture in
            let report = try await python("fetch", [], fixture, ["HF_HUB_DISABLE_XET": "1"])
            #expect(report["snapshot"] as? String == fixture.snapshot.path)
            let before = fixture.hub.requests.count
            let offline = try fixture.configuration(["HF_HUB_OFFLINE": "1"])
            for configuration in [offline, try fixture.configuration()] {
                let found = try await PretrainedLocation.locate(
                    HubFixture.name,
                    configuration: configuration
                )
                #expect(found == fixture.snapshot.path)
            }
            #expect(fixture.hub.requests.count == before)
            try fixture.expectWeights()
        }
    }

    @Test func wePutWhatPythonLeftOut() async throws {
        try await HubFixture.with { fixture in
            let some = ["config.json", "model.safetensors"]
            _ = try await python("fetch", some, fixture, ["HF_HUB_DISABLE_XET": "1"])
            let served = fixture.hub.served(HubFixture.weightsName)
            let pulled = try await fixture.pull()
            #expect(pulled.fetched.sorted() == ["README.md", "preprocessor_config.json"])
            #expect(fixture.hub.served(HubFixture.weightsName) == served)
            let report = try await python("find", Self.files, fixture, ["HF_HUB_OFFLINE": "1"])
            #expect(report["warnings"] as? [String] == [])
        }
    }

    private func python(
        _ action: String,
        _ files: [String],
        _ fixture: HubFixture,
        _ variables: [String: String]
    ) async throws -> [String: Any] {
        let python = try #require(Peers.python)
        let process = Process()
        process.executableURL = URL(filePath: python)
        process.arguments =
            [
                Checkout.root.appending(path: "Tools/parity/check_hub_cache.py").path, action,
                HubFixture.name,
            ] + files
        process.environment = ["PATH": "/usr/bin:/bin", "HF_HUB_DISABLE_TELEMETRY": "1"]
            .merging(fixture.environment) { $1 }.merging(variables) { $1 }
        // Files, not pipes: nobody reads while the process runs.
        let output = fixture.home.appending(path: "output-\(UUID().uuidString)")
        let errors = output.appendingPathExtension("err")
        for file in [output, errors] { try Data().write(to: file) }
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        let (ends, end) = AsyncStream<Int32>.makeStream()
        process.terminationHandler = {
            end.yield($0.terminationStatus)
            end.finish()
        }
        try process.run()
        var status: Int32 = -1
        for await code in ends { status = code }
        let text = try String(contentsOf: errors, encoding: .utf8)
        try #require(status == 0, "\(text)")
        let last = try String(contentsOf: output, encoding: .utf8).split(separator: "\n").last
        let value = try JSONSerialization.jsonObject(with: Data((last ?? "").utf8))
        return try #require(value as? [String: Any])
    }
}
