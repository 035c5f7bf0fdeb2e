import Foundation
import Hub
import TestHub
import TestSupport
import Testing

/// The token reaches the hub and nobody else.
struct HubTokenTests {
    private static let token = "hf_very_secret"

    @Test func theTokenStaysWithTheHubWhenItRedirects() async throws {
        try await TestHub.with { cdn in
            try await HubFixture.with { fixture in
                cdn.publish(HubFixture.name, commit: HubFixture.commit, HubFixture.model)
                cdn.breakOffWhen { HubFixture.arrived($1, of: $0, fixture.home) }
                fixture.hub.redirectLargeFiles(to: cdn)
                fixture.hub.require(token: Self.token)
                cdn.fail("CDN model.safetensors", with: .breakOff(after: 2_000), .status(403))
                try await fixture.pull(fixture.client(["HF_TOKEN": Self.token]))
                try fixture.expectWeights()
                #expect(!cdn.requests.isEmpty)
                #expect(cdn.requests.allSatisfy { $0.authorization == nil })
                // A signature counts only as it was written.
                #expect(
                    cdn.requests.allSatisfy { $0.path.hasSuffix("?signature=a%2Fb%3D%7E&x=1+2") }
                )
                #expect(cdn.requests.map(\.range) == [nil, "bytes=2000-", "bytes=2000-"])
                #expect(cdn.served(HubFixture.weightsName) == HubFixture.weights.count)
                #expect(fixture.hub.served(HubFixture.weightsName) == 0)
                #expect(
                    fixture.hub.requests.allSatisfy { $0.authorization == "Bearer \(Self.token)" }
                )
            }
        }
    }

    @Test func redirectsWithinTheHubAreFollowedAndCirclesAreNot() async throws {
        try await HubFixture.with { fixture in
            let path = "/\(HubFixture.name)/resolve/\(HubFixture.commit)/config.json"
            let away = TestHub.Fault.status(307, ["Location": path])
            fixture.hub.fail("HEAD config.json", with: away)
            try await fixture.pull(fixture.client(["HF_TOKEN": Self.token]))
            let heads = fixture.hub.requests("HEAD config.json")
            #expect(
                heads.map(\.authorization) == [String](repeating: "Bearer \(Self.token)", count: 2)
            )
            let next = String(repeating: "d4", count: 20)
            let files = HubFixture.model.merging(["config.json": Array("{}".utf8)]) { $1 }
            fixture.hub.publish(HubFixture.name, commit: next, files)
            let circle = [TestHub.Fault](repeating: away, count: 20)
            for step in circle { fixture.hub.fail("HEAD config.json", with: step) }
            await expectHubError(saying: "config.json", "redirects") { try await fixture.pull() }
            fixture.hub.fail("LIST", with: .status(302, ["Location": "ftp://elsewhere/"]))
            await expectHubError(saying: "redirects to", "ftp:") { try await fixture.pull() }
        }
    }

    @Test func theTokenComesFromTheEnvironmentOrItsFile() throws {
        try withTemporaryFolder { home in
            let base = ["HF_HOME": home.path, "HOME": home.path]
            #expect(try HubConfiguration(environment: base).token == nil)
            try Data("  hf_of_file \n".utf8).write(to: home.appending(path: "token"))
            #expect(
                try HubConfiguration(environment: base).token
                    == HubToken("hf_of_file", from: "test")
            )
            let both = base.merging(["HF_TOKEN": "hf_of_variable"]) { $1 }
            let expected = try HubToken("hf_of_variable", from: "test")
            #expect(try HubConfiguration(environment: both).token == expected)
            let blank = base.merging(["HF_TOKEN": " \n"]) { $1 }
            #expect(
                try HubConfiguration(environment: blank).token
                    == HubToken("hf_of_file", from: "test")
            )
            let off = both.merging(["HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"]) { $1 }
            #expect(try HubConfiguration(environment: off).token == nil)
            let other = home.appending(path: "other")
            try Data("hf_elsewhere".utf8).write(to: other)
            let moved = base.merging(["HF_TOKEN_PATH": other.path]) { $1 }
            #expect(
                try HubConfiguration(environment: moved).token
                    == HubToken("hf_elsewhere", from: "test")
            )
        }
    }

    @Test func noDescriptionShowsTheToken() throws {
        let environment = ["HF_TOKEN": Self.token, "HF_HOME": "/nowhere"]
        let configuration = try HubConfiguration(environment: environment)
        var dumped = ""
        dump(configuration, to: &dumped)
        let client = HubClient(configuration: configuration)
        for text in ["\(configuration)", "\(client)", String(reflecting: configuration), dumped] {
            #expect(!text.contains("secret"), "\(text)")
        }
        #expect(throws: HubError.self) {
            _ = try HubConfiguration(environment: ["HF_TOKEN": "hf_a b\u{7}secret"])
        }
        do {
            _ = try HubConfiguration(environment: ["HF_TOKEN": "hf_é_secret"])
        } catch {
            #expect(!"\(error)".contains("secret"))
        }
    }
}
