import Foundation
import TestHub
import TestSupport
import Testing

@testable import Hub

/// Names, tags, the environment: what needs no hub.
struct HubNamesTests {
    @Test(arguments: [
        ("facebook/deit-tiny-patch16-224", "models--facebook--deit-tiny-patch16-224"),
        ("gpt2", "models--gpt2"), ("a_b/c.d", "models--a_b--c.d"),
    ])
    func repositoriesHavePythonsFolders(_ name: String, _ folder: String) throws {
        let repository = try HubRepository(name)
        #expect(repository.name == name)
        #expect(repository.folderName == folder)
    }

    @Test(arguments: [
        "", "/", "a/", "/a", "a/b/c", "a--b", "a..b/c", "../x", "-a/b", "a/b-", "a/.b", "a b/c",
        "a/b.git", "é/b", "a/\(String(repeating: "x", count: 97))", "a/b\n",
    ])
    func namesThatAreNoneAreRefused(_ name: String) {
        #expect(throws: HubError.self) { try HubRepository(name) }
    }

    @Test(arguments: ["", "../main", "/main", "a//b", "a\u{0}", "-x", "a\\b"])
    func revisionsThatLeadElsewhereAreRefused(_ revision: String) async throws {
        let configuration = try HubConfiguration(environment: ["HF_HUB_OFFLINE": "1"])
        let client = HubClient(configuration: configuration)
        let repository = try HubRepository("a/b")
        await expectHubError(saying: "revision") {
            _ = try await client.snapshot(of: repository, revision: revision)
        }
    }

    @Test func tagsLoseTheirQuotes() {
        #expect(HubNames.tag("\"abc\"") == "abc")
        #expect(HubNames.tag("W/\"abc\"") == "abc")
        #expect(HubNames.tag("abc") == "abc")
    }

    @Test func rangesAreRead() {
        #expect(ContentRange("bytes 5-9/10").map { [$0.start, $0.total] } == [5, 10])
        #expect(ContentRange("bytes 5-9/*").map { [$0.start, $0.total] } == [5, nil])
        for text in [
            "", "bytes */10", "bytes x-9/10", "items 5-9/10", "bytes 5-9", "bytes -5-9/10",
        ] {
            #expect(ContentRange(text) == nil, "\(text)")
        }
    }

    /// `git hash-object` and `sha256sum` of these bytes.
    @Test func checksumsAreGitsAndSHA256() throws {
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "file").path
            try Data("hello\n".utf8).write(to: URL(filePath: path))
            let file = try PartialFile(path)
            let git = "ce013625030ba8dba906f756967f9e9ca394464a"
            let sha = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
            #expect(try BlobChecksum(tag: git)?.fault(of: file) == nil)
            #expect(try BlobChecksum(tag: sha)?.fault(of: file) == nil)
            #expect(try BlobChecksum(tag: "0" + git.dropFirst())?.fault(of: file) != nil)
            #expect(try BlobChecksum(tag: "0" + sha.dropFirst())?.fault(of: file) != nil)
            #expect(BlobChecksum(tag: git.uppercased()) == nil)
            #expect(BlobChecksum(tag: "mirror-7") == nil)
        }
    }

    @Test func theEnvironmentIsReadAsPythonReadsIt() throws {
        func cache(_ variables: [String: String]) throws -> String {
            try HubConfiguration(environment: ["HOME": "/home/me"].merging(variables) { $1 })
                .cacheFolder
        }
        #expect(try cache([:]) == "/home/me/.cache/huggingface/hub")
        #expect(try cache(["XDG_CACHE_HOME": "/x"]) == "/x/huggingface/hub")
        #expect(try cache(["HF_HOME": "~/hf/"]) == "/home/me/hf/hub")
        #expect(try cache(["HF_HOME": "$HOME/hf"]) == "/home/me/hf/hub")
        #expect(try cache(["HF_HOME": "/a", "HUGGINGFACE_HUB_CACHE": "/old"]) == "/old")
        #expect(
            try cache(["HF_HUB_CACHE": "${HOME}/c", "HUGGINGFACE_HUB_CACHE": "/old"])
                == "/home/me/c"
        )
        #expect(try cache(["HF_HUB_CACHE": "/$UNSET/c"]) == "/$UNSET/c")
        let plain = try HubConfiguration(environment: ["HF_ENDPOINT": "http://127.0.0.1:80/"])
        #expect(plain.endpoint == "http://127.0.0.1:80")
        #expect(!plain.isOffline)
        for yes in ["1", "on", "YES", "True"] {
            #expect(try HubConfiguration(environment: ["HF_HUB_OFFLINE": yes]).isOffline)
            #expect(try HubConfiguration(environment: ["TRANSFORMERS_OFFLINE": yes]).isOffline)
        }
        #expect(try !HubConfiguration(environment: ["HF_HUB_OFFLINE": "0"]).isOffline)
        let slow = try HubConfiguration(environment: ["HF_HUB_DOWNLOAD_TIMEOUT": "60"])
        #expect(slow.silenceTimeout == .seconds(60))
    }

    @Test(arguments: [
        ["HF_ENDPOINT": "hub"], ["HF_ENDPOINT": "ftp://hub"], ["HF_ENDPOINT": "https://"],
        ["HF_ENDPOINT": "https://me:hf_pass@hub"], ["HF_HUB_ETAG_TIMEOUT": "soon"],
        ["HF_HUB_DOWNLOAD_TIMEOUT": "-1"],
    ])
    func settingsThatCannotBeUsedAreNamed(_ variables: [String: String]) async {
        await expectHubError(saying: variables.keys.first ?? "") {
            _ = try HubConfiguration(environment: variables)
        }
    }
}
