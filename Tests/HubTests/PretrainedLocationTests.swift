import Foundation
import Hub
import TestHub
import TestSupport
import Testing

/// Paths stay, names are looked up.
struct PretrainedLocationTests {
    @Test func whatExistsOrLooksLikeAPathStays() async throws {
        try await HubFixture.with { fixture in
            let configuration = try fixture.configuration()
            let paths = [
                fixture.home.path, "/no/such", "./a/b", "a/b/c", "model", "runs/model.safetensors",
                "a/weights.pth", "~/x", "Sources/nothing", "runs/fisrt",
            ]
            for path in paths {
                let found = try await PretrainedLocation.locate(path, configuration: configuration)
                if path != "Sources/nothing" { #expect(found == path) }
            }
            #expect(PretrainedLocation.repository(named: "a/weights.pth") == nil)
            #expect(PretrainedLocation.repository(named: "tmp-none/x")?.name == "tmp-none/x")
        }
    }

    @Test func aNameIsFetchedOnceAndThenFound() async throws {
        try await HubFixture.with { fixture in
            let configuration = try fixture.configuration()
            for _ in 0..<2 {
                let found = try await PretrainedLocation.locate(
                    HubFixture.name,
                    configuration: configuration
                )
                #expect(found == fixture.snapshot.path)
            }
            #expect(fixture.hub.requests("LIST").count == 1)
            try fixture.expectWeights()
        }
    }

    @Test func aModelWithoutItsPreprocessingIsCompleted() async throws {
        try await HubFixture.with { fixture in
            try await fixture.pull(files: HubFileSelection(include: ["config.json", "model.*"]))
            let cache = try fixture.client().cache
            #expect(
                cache.missingFiles(of: "main", in: fixture.repository)
                    == ["preprocessor_config.json"]
            )
            let offline = try fixture.configuration(["HF_HUB_OFFLINE": "1"])
            let found = try await PretrainedLocation.locate(
                HubFixture.name,
                configuration: offline
            )
            #expect(found == fixture.snapshot.path)
            _ = try await PretrainedLocation.locate(
                HubFixture.name,
                configuration: try fixture.configuration()
            )
            #expect(cache.missingFiles(of: "main", in: fixture.repository).isEmpty)
        }
    }

    @Test func timmsConfigurationCarriesThePreprocessing() async throws {
        try await HubFixture.with { fixture in
            fixture.hub.publish(
                HubFixture.name,
                commit: HubFixture.commit,
                ["config.json": Array("{\"pretrained_cfg\": {}}".utf8), "model.safetensors": [1]]
            )
            try await fixture.pull()
            let cache = try fixture.client().cache
            #expect(cache.missingFiles(of: "main", in: fixture.repository).isEmpty)
            #expect(fixture.exists(".no_exist/\(HubFixture.commit)/preprocessor_config.json"))
        }
    }

    @Test func offlineIsToldWithWhatIsMissing() async throws {
        try await HubFixture.with { fixture in
            let client = try fixture.client(["HF_HUB_OFFLINE": "yes"])
            await expectHubError(saying: HubFixture.name, "main", "HF_HUB_OFFLINE") {
                try await fixture.pull(client)
            }
            try await fixture.pull(files: HubFileSelection(include: ["config.json"]))
            await expectHubError(saying: "lacks model.safetensors") {
                try await fixture.pull(client)
            }
            try await fixture.pull()
            let before = fixture.hub.requests.count
            #expect(try await fixture.pull(client).folder == fixture.snapshot.path)
            #expect(fixture.hub.requests.count == before)
        }
    }

    @Test func referencesThatAreDamagedAreNotFollowed() async throws {
        try await HubFixture.with { fixture in
            try await fixture.pull()
            let reference = fixture.folder.appending(path: "refs/main")
            for text in ["", "../../../../etc", "main", String(repeating: "g", count: 40)] {
                try Data(text.utf8).write(to: reference)
                let cache = try fixture.client().cache
                #expect(cache.snapshot(of: "main", in: fixture.repository) == nil)
            }
        }
    }
}
