import Foundation
import Hub
import TestHub
import TestSupport
import Testing

@testable import Hub

/// What lies between the client and the hub: proxies, and who counts as the hub.
struct HubProxyTests {
    private static let closed = "http://127.0.0.1:9"

    @Test func theProxyOfTheEnvironmentIsAsked() async throws {
        try await HubFixture.with { fixture in
            let behind = ["HF_ENDPOINT": "http://hub.invalid", "http_proxy": fixture.hub.address]
            fixture.hub.fail("GET model.safetensors", with: .breakOff(after: 70_000))
            try await fixture.pull(fixture.client(behind))
            try fixture.expectWeights()
            #expect(
                fixture.hub.requests.allSatisfy { $0.path.hasPrefix("http://hub.invalid/") }
            )
            #expect(fixture.hub.served(HubFixture.weightsName) == HubFixture.weights.count)
        }
    }

    @Test func exceptionsAreAskedDirectly() async throws {
        try await HubFixture.with { fixture in
            let proxy = ["ALL_PROXY": Self.closed]
            await expectHubError(saying: HubFixture.name, "refused") {
                try await fixture.pull(fixture.client(proxy))
            }
            #expect(fixture.hub.requests.isEmpty)
            let excepted = proxy.merging(["NO_PROXY": "example.com,127.0.0.1"]) { $1 }
            try await fixture.pull(fixture.client(excepted))
            try fixture.expectWeights()
        }
    }

    @Test func aProxyThatRefusesIsNamed() async throws {
        try await HubFixture.with { fixture in
            // The hub on loopback knows no CONNECT, and answers it with 404.
            let behind = ["HF_ENDPOINT": "https://hub.invalid", "https_proxy": fixture.hub.address]
            await expectHubError(saying: "proxy", "404", "HTTPS_PROXY") {
                try await fixture.pull(fixture.client(behind))
            }
        }
    }

    @Test func theVariablesAreReadAsPythonReadsThem() throws {
        func proxy(_ variables: [String: String], _ address: String) throws -> String? {
            let url = try #require(URL(string: address))
            return HubProxies(HubEnvironment(variables)).proxy(for: url)
        }
        let two = ["http_proxy": "http://a", "HTTPS_PROXY": "http://b", "all_proxy": "http://c"]
        #expect(try proxy(two, "http://hub/") == "http://a")
        #expect(try proxy(two, "https://hub/") == "http://b")
        #expect(try proxy(["all_proxy": "http://c"], "https://hub/") == "http://c")
        #expect(try proxy(["https_proxy": "http://a"], "http://hub/") == nil)
        #expect(
            try proxy(["https_proxy": "http://a", "HTTPS_PROXY": "http://b"], "https://hub/")
                == "http://a"
        )
        #expect(try proxy(["HTTP_PROXY": "http://a"], "http://hub/") == "http://a")
        #expect(
            try proxy(["HTTP_PROXY": "http://a", "REQUEST_METHOD": "GET"], "http://hub/") == nil
        )
        let secret = ["https_proxy": "http://me:secret@proxy", "HF_HOME": "/nowhere"]
        let configuration = try HubConfiguration(environment: secret)
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(!text.contains("secret"), "\(text)")
        }
    }

    /// Two addresses are the same server only if every reader of addresses must think so.
    @Test func originsAreSchemeHostAndPort() {
        func origin(_ address: String) -> HubOrigin? { HubOrigin(URL(string: address)) }
        #expect(origin("https://Hub.example/a") == origin("https://hub.example:443/b?c"))
        #expect(origin("http://hub.example") != origin("https://hub.example"))
        #expect(origin("http://hub.example:8080") != origin("http://hub.example"))
        #expect(origin("http://[::1]:80/") == origin("http://[::1]/"))
        #expect(origin("http://[::1]/") != nil)
        for address in [
            "https://hub.example@evil.example/", "https://me:pass@hub.example/",
            "https://hub.example%2Fevil/", "https://hub.example\\@evil.example/", "https:///x",
        ] {
            #expect(origin(address) == nil, "\(address)")
        }
    }

    @Test func whatIsNoHTTPIsToldSo() async throws {
        try await HubFixture.with { fixture in
            let banner = TestHub.Fault.raw(Array("SSH-2.0-server\r\n".utf8))
            fixture.hub.fail("LIST", with: banner, banner, banner)
            await expectHubError(saying: HubFixture.name, "not HTTP") { try await fixture.pull() }
            let field = "X-Long: " + String(repeating: "x", count: 1_000) + "\r\n"
            let head = "HTTP/1.1 200 OK\r\n" + String(repeating: field, count: 5_000)
            let flood = TestHub.Fault.raw(Array(head.utf8))
            fixture.hub.fail("LIST", with: flood, flood, flood)
            await expectHubError(saying: HubFixture.name, "3 attempts") {
                try await fixture.pull()
            }
        }
    }

    @Test func aRequestThatIsNotAnsweredCanBeCancelled() async throws {
        try await HubFixture.with { fixture in
            fixture.hub.fail("LIST", with: .silence(after: nil))
            let task = Task { try await fixture.pull() }
            while fixture.hub.requests("LIST").isEmpty {
                try await Task.sleep(for: .milliseconds(2))
            }
            task.cancel()
            await #expect(throws: HubError.cancelled) { try await task.value }
            #expect(fixture.hub.requests.count == 1)
        }
    }
}
