import Foundation
import Hub
import TestHub
import TestSupport
import Testing

/// A hub that breaks off, lies, refuses or is silent.
struct HubFailureTests {
    private static let size = HubFixture.weights.count
    private static let get = "GET model.safetensors"

    // MARK: Going on

    @Test func aBrokenConnectionGoesOnWhereItStopped() async throws {
        try await HubFixture.with { fixture in
            fixture.hub.fail(
                Self.get,
                with: .breakOff(after: 100_000),
                .status(503),
                .breakOff(after: 50_000)
            )
            try await fixture.pull()
            try fixture.expectWeights()
            let ranges = fixture.hub.requests(Self.get).map(\.range)
            #expect(ranges == [nil, "bytes=100000-", "bytes=100000-", "bytes=150000-"])
            #expect(fixture.hub.served(HubFixture.weightsName) == Self.size)
        }
    }

    @Test func anotherRunGoesOnWhereTheFirstStopped() async throws {
        try await HubFixture.with { fixture in
            let cut = TestHub.Fault.breakOff(after: 0)
            fixture.hub.fail(Self.get, with: .breakOff(after: 123_456), cut, cut, cut)
            await expectHubError(saying: "model.safetensors", "attempt") {
                try await fixture.pull()
            }
            fixture.expectNoWeights()
            let partial = "blobs/\(TestHub.tag(HubFixture.weights)).incomplete"
            #expect(try fixture.bytes(partial) == Array(HubFixture.weights.prefix(123_456)))
            try await fixture.pull()
            try fixture.expectWeights()
            #expect(fixture.hub.requests(Self.get).last?.range == "bytes=123456-")
            #expect(fixture.hub.served(HubFixture.weightsName) == Self.size)
        }
    }

    @Test func anUnfinishedFileThatIsWholeIsOnlyChecked() async throws {
        try await HubFixture.with { fixture in
            try plant(HubFixture.weights, fixture)
            try await fixture.pull()
            try fixture.expectWeights()
            #expect(fixture.hub.requests(Self.get).isEmpty)
        }
    }

    @Test(arguments: [1_000, 300_000])
    func aDamagedUnfinishedFileIsFetchedAnew(_ count: Int) async throws {
        try await HubFixture.with { fixture in
            try plant([UInt8](repeating: 7, count: count), fixture)
            try await fixture.pull()
            try fixture.expectWeights()
            #expect(fixture.hub.requests(Self.get).last?.range == nil)
        }
    }

    @Test func anUnfinishedFileThatIsTooLongIsFetchedAnew() async throws {
        try await HubFixture.with { fixture in
            try plant(HubFixture.weights + [0], fixture)
            try await fixture.pull()
            try fixture.expectWeights()
            #expect(fixture.hub.requests(Self.get).map(\.range) == [nil])
        }
    }

    @Test func aServerWithoutRangesBeginsAnew() async throws {
        try await HubFixture.with { fixture in
            fixture.hub.fail(Self.get, with: .breakOff(after: 1_000), .ignoreRange)
            try await fixture.pull()
            try fixture.expectWeights()
            #expect(fixture.hub.served(HubFixture.weightsName) == Self.size + 1_000)
        }
    }

    @Test func aRangeThatTheServerRefusesIsFetchedAnew() async throws {
        try await HubFixture.with { fixture in
            fixture.hub.fail(Self.get, with: .breakOff(after: 1_000), .status(416))
            try await fixture.pull()
            try fixture.expectWeights()
            #expect(
                fixture.hub.requests(Self.get).map(\.range) == [nil, "bytes=1000-", nil]
            )
        }
    }

    @Test func anotherTagBetweenAttemptsIsAnotherFile() async throws {
        try await HubFixture.with { fixture in
            let cut = TestHub.Fault.breakOff(after: 0)
            fixture.hub.fail(Self.get, with: .breakOff(after: 9_000), cut, cut, cut)
            await expectHubError { try await fixture.pull() }
            let other = [UInt8](HubFixture.weights.reversed())
            let next = String(repeating: "c3", count: 20)
            fixture.hub.publish(
                HubFixture.name,
                commit: next,
                HubFixture.model.merging([HubFixture.weightsName: other]) { $1 }
            )
            let pulled = try await fixture.pull()
            #expect(fixture.hub.requests(Self.get).last?.range == nil)
            #expect(try fixture.bytes("snapshots/\(next)/\(HubFixture.weightsName)") == other)
            #expect(pulled.commit == next)
        }
    }

    private func plant(_ bytes: [UInt8], _ fixture: HubFixture) throws {
        let blobs = fixture.folder.appending(path: "blobs")
        try FileManager.default.createDirectory(at: blobs, withIntermediateDirectories: true)
        let name = TestHub.tag(HubFixture.weights) + ".incomplete"
        try Data(bytes).write(to: blobs.appending(path: name))
    }

    // MARK: Lies

    @Test func otherBytesAreThrownAway() async throws {
        try await HubFixture.with { fixture in
            let other = [UInt8](HubFixture.weights.reversed())
            fixture.hub.fail(Self.get, with: .bytes(other))
            await expectHubError(saying: "model.safetensors", "sha256") { try await fixture.pull() }
            fixture.expectNoWeights()
            #expect(fixture.partials.isEmpty)
            try await fixture.pull()
            try fixture.expectWeights()
        }
    }

    @Test func otherBytesOfASmallFileAreThrownAwayToo() async throws {
        try await HubFixture.with { fixture in
            fixture.hub.fail(
                "GET config.json",
                with: .bytes(Array("{\"model_type\": \"tied\"}".utf8))
            )
            await expectHubError(saying: "config.json", "git sha1") { try await fixture.pull() }
            #expect(!fixture.exists("snapshots/\(HubFixture.commit)/config.json"))
        }
    }

    @Test func otherBytesAfterABreakAreFetchedOnceMore() async throws {
        try await HubFixture.with { fixture in
            let other = [UInt8](repeating: 9, count: Self.size - 1_000)
            fixture.hub.fail(Self.get, with: .breakOff(after: 1_000), .bytes(other))
            try await fixture.pull()
            try fixture.expectWeights()
            #expect(
                fixture.hub.requests(Self.get).map(\.range) == [nil, "bytes=1000-", nil]
            )
        }
    }

    @Test func anotherLengthThanPromisedIsNotTaken() async throws {
        try await HubFixture.with { fixture in
            fixture.hub.fail(
                "HEAD model.safetensors",
                with: .fields(["X-Linked-Size": "\(Self.size + 1)"])
            )
            await expectHubError(saying: "\(Self.size) bytes", "instead of \(Self.size + 1)") {
                try await fixture.pull()
            }
            fixture.hub.fail(Self.get, with: .surplus(5))
            await expectHubError(saying: "more than the announced \(Self.size) bytes") {
                try await fixture.pull()
            }
            fixture.expectNoWeights()
            #expect(fixture.partials.isEmpty)
        }
    }

    @Test func anAnswerThatBeginsElsewhereIsRefused() async throws {
        try await HubFixture.with { fixture in
            fixture.hub.fail(Self.get, with: .breakOff(after: 1_000), .wrongRange)
            await expectHubError(saying: "does not start where") { try await fixture.pull() }
            fixture.expectNoWeights()
        }
    }

    @Test(arguments: [
        ("../../evil", "evil"), ("/etc/passwd", "passwd"), ("a/../../b", ".."),
        ("a\\u0000b", "name"),
        ("a//b", "name"), ("C:\\\\x", "name"), ("", "name"),
    ])
    func namesThatLeadElsewhereAreRefused(_ name: String, _ word: String) async throws {
        try await HubFixture.with { fixture in
            fixture.hub.answerListings(
                with: """
                    {"sha": "\(HubFixture.commit)", "siblings": [{"rfilename": "config.json"},
                     {"rfilename": "\(name)"}]}
                    """
            )
            await expectHubError(saying: word) { try await fixture.pull() }
            #expect(fixture.hub.requests.map(\.key) == ["LIST"])
            #expect(!fixture.exists("blobs"))
        }
    }

    @Test(arguments: ["main", "../../x", "zz", String(repeating: "A", count: 40)])
    func aCommitThatIsNoneIsRefused(_ commit: String) async throws {
        try await HubFixture.with { fixture in
            fixture.hub.answerListings(with: "{\"sha\": \"\(commit)\", \"siblings\": []}")
            await expectHubError(saying: "is not a commit") { try await fixture.pull() }
        }
    }

    @Test(arguments: ["../x", "a/b", ".hidden", "", "x.incomplete"])
    func aTagThatLeadsElsewhereIsRefused(_ tag: String) async throws {
        try await HubFixture.with { fixture in
            fixture.hub.fail("HEAD config.json", with: .fields(["ETag": "\"\(tag)\""]))
            await expectHubError(saying: "ETag") { try await fixture.pull() }
            #expect(fixture.blobs.isEmpty || !fixture.exists("refs/main"))
        }
    }

    @Test func whatIsNoListingIsToldSo() async throws {
        try await HubFixture.with { fixture in
            fixture.hub.answerListings(with: "<html>a portal</html>")
            await expectHubError(saying: "JSON", "HF_ENDPOINT") { try await fixture.pull() }
            fixture.hub.answerListings(with: "{\"sha\": 3}")
            await expectHubError(saying: "no commit") { try await fixture.pull() }
        }
    }

    // MARK: Refusals

    @Test func aPrivateOrGatedRepositoryWantsAToken() async throws {
        try await HubFixture.with { fixture in
            fixture.hub.require(token: "hf_secret")
            await expectHubError(saying: HubFixture.name, "private", "HF_TOKEN") {
                try await fixture.pull()
            }
            await expectHubError(saying: "the token has no access") {
                try await fixture.pull(fixture.client(["HF_TOKEN": "hf_wrong"]))
            }
            fixture.hub.fail("LIST", with: .status(403, ["X-Error-Code": "GatedRepo"]))
            await expectHubError(saying: "gated", "accept", "HF_TOKEN") { try await fixture.pull() }
            fixture.hub.fail("LIST", with: .status(401))
            await expectHubError(saying: "HF_TOKEN") { try await fixture.pull() }
            try await fixture.pull(fixture.client(["HF_TOKEN": " hf_secret\n"]))
            try fixture.expectWeights()
        }
    }

    @Test func whatIsMissingIsNamed() async throws {
        try await HubFixture.with { fixture in
            await expectHubError(saying: "ORG/none", "no repository") {
                _ = try await fixture.client().pull(HubRepository("ORG/none"))
            }
            await expectHubError(saying: "nosuch", "branch") {
                try await fixture.pull(revision: "nosuch")
            }
            fixture.hub.fail(
                "HEAD config.json",
                with: .status(404, ["X-Error-Code": "EntryNotFound"])
            )
            await expectHubError(saying: "config.json", "no such file") { try await fixture.pull() }
            await expectHubError(saying: "matches the patterns", "config.json") {
                try await fixture.pull(files: HubFileSelection(include: ["*.gguf"]))
            }
            fixture.hub.publish(HubFixture.name, commit: HubFixture.commit, ["tf_model.h5": [1]])
            await expectHubError(saying: "tf_model.h5", "--include") { try await fixture.pull() }
        }
    }

    @Test func aServerInTroubleIsAskedAgain() async throws {
        try await HubFixture.with { fixture in
            fixture.hub.fail("LIST", with: .status(503), .status(500))
            fixture.hub.fail("HEAD config.json", with: .status(429, ["Retry-After": "7"]))
            try await fixture.pull()
            try fixture.expectWeights()
            #expect(fixture.waited == [.milliseconds(500), .seconds(1), .seconds(7)])
            #expect(
                fixture.events.all.contains(
                    .retrying(what: "config.json", reason: "too many requests", pause: .seconds(7))
                )
            )
        }
    }

    @Test func attemptsAreBounded() async throws {
        try await HubFixture.with { fixture in
            let failure = TestHub.Fault.status(502)
            fixture.hub.fail("LIST", with: failure, failure, failure, failure)
            await expectHubError(saying: HubFixture.name, "502", "3 attempts") {
                try await fixture.pull()
            }
            #expect(fixture.hub.requests("LIST").count == 3)
            fixture.hub.fail("LIST", with: .status(503, ["Retry-After": "99999"]))
            await expectHubError(saying: "99999 s") { try await fixture.pull() }
        }
    }

    @Test func aSilentServerIsNotWaitedForForever() async throws {
        try await HubFixture.with { fixture in
            let impatient = try fixture.client {
                $0.answerTimeout = .milliseconds(150)
                $0.silenceTimeout = .milliseconds(150)
            }
            let silence = TestHub.Fault.silence(after: nil)
            fixture.hub.fail("LIST", with: silence, silence, silence)
            await expectHubError(saying: HubFixture.name, "server") {
                try await fixture.pull(impatient)
            }
            // Long enough for the answers that do come, on a machine that does much else.
            let client = try fixture.client { $0.silenceTimeout = .seconds(1) }
            fixture.hub.fail(Self.get, with: .silence(after: 40_000))
            try await fixture.pull(client)
            try fixture.expectWeights()
            // On a busy machine answers may fall silent more than once; each request goes on where the last one ended.
            let starts = fixture.hub.requests(Self.get).map { request in
                request.range.flatMap { Int($0.dropFirst("bytes=".count).dropLast()) } ?? 0
            }
            #expect(starts.count >= 2)
            #expect(starts.first == 0)
            #expect(starts == Set(starts).sorted())
        }
    }

    @Test func aHubThatIsDownIsToldSo() async throws {
        try await HubFixture.with { fixture in
            let client = try fixture.client()
            try await fixture.hub.stop()
            await expectHubError(saying: HubFixture.name, "refused") {
                try await fixture.pull(client)
            }
        }
    }

    @Test func cancellingKeepsWhatHasArrived() async throws {
        try await HubFixture.with { fixture in
            fixture.hub.fail(Self.get, with: .silence(after: 70_000))
            let task = Task { try await fixture.pull() }
            let arrived = HubEvent.received(
                file: HubFixture.weightsName,
                bytes: 70_000,
                size: Self.size
            )
            while !fixture.events.all.contains(arrived) {
                try await Task.sleep(for: .milliseconds(2))
            }
            task.cancel()
            await #expect(throws: HubError.cancelled) { try await task.value }
            fixture.expectNoWeights()
            try await fixture.pull()
            try fixture.expectWeights()
            #expect(fixture.hub.requests(Self.get).map(\.range) == [nil, "bytes=70000-"])
        }
    }

    // MARK: The disk

    @Test func aCacheThatCannotBeWrittenIsNamed() async throws {
        try await HubFixture.with { fixture in
            try Data().write(to: fixture.home.appending(path: "hub"))
            await expectHubError(saying: fixture.home.appending(path: "hub").path) {
                try await fixture.pull()
            }
        }
    }

    @Test func aFileLargerThanTheDiskIsRefusedBeforeItIsFetched() async throws {
        try await HubFixture.with { fixture in
            fixture.hub.fail(
                "HEAD model.safetensors",
                with: .fields(["X-Linked-Size": "\(Int.max)"])
            )
            await expectHubError(saying: "are free", "HF_HUB_CACHE") { try await fixture.pull() }
            #expect(fixture.hub.requests(Self.get).isEmpty)
        }
    }
}
