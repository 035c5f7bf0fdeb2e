import Foundation
import Hub
import Synchronization
import TestHub
import TestSupport
import Testing

@testable import Hub

/// A hub, an empty cache and a client that does not wait between attempts.
struct HubFixture {
    static let name = "ORG/tiny-model"
    static let commit = String(repeating: "a1", count: 20)
    static let config: [UInt8] = Array("{\"model_type\": \"deit\"}".utf8)
    static let processor: [UInt8] = Array("{\"size\": 224}".utf8)
    /// Large by the test hub's standard, and several network packets long.
    static let weights = [UInt8]((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })
    static let weightsName = "model.safetensors"
    static let model = [
        "config.json": config, "preprocessor_config.json": processor, weightsName: weights,
        "README.md": Array("# Tiny".utf8), "pytorch_model.bin": Array("unused".utf8),
    ]

    let hub: TestHub
    let home: URL
    let repository: HubRepository
    let events = HubEvents()
    private let pauses = Pauses()

    /// Runs a closure with a fresh hub, which has one model, and a fresh cache.
    static func with(_ body: (HubFixture) async throws -> Void) async throws {
        try await TestHub.with { hub in
            try await withTemporaryFolder { home in
                hub.publish(name, commit: commit, model)
                hub.breakOffWhen { arrived($1, of: $0, home) }
                try await body(
                    HubFixture(hub: hub, home: home, repository: try HubRepository(name))
                )
            }
        }
    }

    /// Whether the first bytes of a file are on the disk.
    static func arrived(_ count: Int, of file: String, _ home: URL) -> Bool {
        guard count > 0, let bytes = model[file] else { return true }
        let path = "hub/models--ORG--tiny-model/blobs/\(TestHub.tag(bytes)).incomplete"
        let attributes = try? FileManager.default.attributesOfItem(
            atPath: home.appending(path: path).path
        )
        return (attributes?[.size] as? Int ?? 0) >= count
    }

    var environment: [String: String] {
        ["HF_HOME": home.path, "HF_ENDPOINT": hub.address, "HOME": home.path]
    }

    func configuration(_ more: [String: String] = [:]) throws -> HubConfiguration {
        var result = try HubConfiguration(environment: environment.merging(more) { $1 })
        result.retries.attempts = 3
        return result
    }

    func client(
        _ more: [String: String] = [:],
        change: (inout HubConfiguration) -> Void = { _ in }
    ) throws -> HubClient {
        var configuration = try configuration(more)
        // A busy machine may keep the server beside from answering for long; tests of timeouts say their own.
        configuration.answerTimeout = .seconds(300)
        configuration.silenceTimeout = .seconds(300)
        change(&configuration)
        return HubClient(configuration: configuration) { [pauses] in pauses.add($0) }
    }

    @discardableResult
    func pull(
        _ client: HubClient? = nil,
        revision: String = "main",
        files: HubFileSelection = .model
    ) async throws -> HubSnapshot {
        let client = try client ?? self.client()
        return try await client.pull(
            repository,
            revision: revision,
            files: files,
            progress: events.add
        )
    }

    /// How long the client would have waited, in order.
    var waited: [Duration] { pauses.all }

    var folder: URL { home.appending(path: "hub/models--ORG--tiny-model") }
    var snapshot: URL { folder.appending(path: "snapshots/\(Self.commit)") }

    func bytes(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appending(path: path)))
    }

    func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: folder.appending(path: path).path)
    }

    var blobs: [String] {
        let path = folder.appending(path: "blobs").path
        return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    var partials: [String] { blobs.filter { $0.hasSuffix(".incomplete") } }

    /// Expects the weights to be in the snapshot, whole.
    func expectWeights(location: SourceLocation = #_sourceLocation) throws {
        let found = try bytes("snapshots/\(Self.commit)/\(Self.weightsName)")
        #expect(found == Self.weights, sourceLocation: location)
        #expect(partials.isEmpty, sourceLocation: location)
    }

    /// Expects that no file of a failed pull has a final name, and that the revision is not known.
    func expectNoWeights(location: SourceLocation = #_sourceLocation) {
        #expect(!exists("blobs/\(TestHub.tag(Self.weights))"), sourceLocation: location)
        #expect(
            !exists("snapshots/\(Self.commit)/\(Self.weightsName)"),
            sourceLocation: location
        )
        #expect(!exists("refs/main"), sourceLocation: location)
    }
}

/// The events of a pull, in order.
final class HubEvents: Sendable {
    private let stored = Mutex<[HubEvent]>([])

    var all: [HubEvent] { stored.withLock { $0 } }

    @Sendable func add(_ event: HubEvent) { stored.withLock { $0.append(event) } }
}

final class Pauses: Sendable {
    private let stored = Mutex<[Duration]>([])

    var all: [Duration] { stored.withLock { $0 } }

    func add(_ pause: Duration) { stored.withLock { $0.append(pause) } }
}

/// Expects an error of the hub whose sentence holds some words.
func expectHubError(
    saying words: String...,
    location: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
) async {
    do {
        try await body()
        Issue.record("nothing was thrown", sourceLocation: location)
    } catch let error as HubError {
        let text = error.description
        #expect(!text.contains("\n") && !text.contains("hf_"), "\(text)", sourceLocation: location)
        for word in words {
            #expect(text.contains(word), "no \"\(word)\" in: \(text)", sourceLocation: location)
        }
    } catch {
        Issue.record("\(error)", sourceLocation: location)
    }
}
