import Crypto
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A small model hub on loopback, which does what it is told to do wrong.
///
/// Small files are served by the hub itself; large ones by ``cdn``, where one is set, as the real hub redirects to.
public final class TestHub: Sendable {
    /// A request that arrived.
    public struct Request: Sendable, Equatable {
        /// The method and what was asked for, such as `GET model.safetensors`; `LIST` and `TREE` are listings.
        public let key: String
        /// The path and query.
        public let path: String
        /// The field `Authorization`.
        public let authorization: String?
        /// The field `Range`.
        public let range: String?
    }

    /// What the hub does instead of answering as it should, once.
    public enum Fault: Sendable {
        /// Another status, with fields and no body.
        case status(Int, [String: String] = [:])
        /// The connection ends after so many bytes of the body, once they have arrived.
        case breakOff(after: Int)
        /// Nothing more comes after so many bytes of the body; nil: not even the head.
        case silence(after: Int?)
        /// The rest of the body comes when ``TestHub/openGate()`` was called.
        case gate(after: Int)
        /// A body of other bytes, with its own length.
        case bytes([UInt8])
        /// The range is not heeded: status 200 and the whole body.
        case ignoreRange
        /// The answer to a range begins elsewhere.
        case wrongRange
        /// More bytes than promised, without a length.
        case surplus(Int)
        /// Other fields beside the usual ones, in place of those of the same name.
        case fields([String: String])
    }

    struct Repository {
        var commit: String
        var files: [String: [UInt8]]
    }

    struct State {
        var repositories: [String: Repository] = [:]
        var faults: [String: [Fault]] = [:]
        var requests: [Request] = []
        var served: [String: Int] = [:]
        var listing: [UInt8]?
        var token: String?
        var cdn: String?
        var gate: [@Sendable () -> Void] = []
        var gateIsOpen = false
        var isStopped = false
        var hasArrived: @Sendable (String, Int) -> Bool = { _, _ in true }
    }

    let state = Mutex(State())
    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel

    /// From this size on a file is large: it has a sha256, and the CDN serves it.
    public static let largeSize = 512

    /// Starts a hub on a port that the system chooses.
    public init() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let box = HubBox()
        channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(HubHandler { box.hub })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.group = group
        box.hub = self
    }

    /// Runs a closure with a hub, and ends the hub.
    public static func with<R>(
        isolation: isolated (any Actor)? = #isolation,
        _ body: (TestHub) async throws -> R
    ) async throws -> R {
        let hub = try await TestHub()
        do {
            let result = try await body(hub)
            try await hub.stop()
            return result
        } catch {
            try await hub.stop()
            throw error
        }
    }

    /// Ends all connections.
    public func stop() async throws {
        let wasStopped = state.withLock { state in
            defer { state.isStopped = true }
            return state.isStopped
        }
        guard !wasStopped else { return }
        try? await channel.close()
        try await group.shutdownGracefully()
    }

    /// The address, for `HF_ENDPOINT`.
    public var address: String { "http://127.0.0.1:\(channel.localAddress?.port ?? 0)" }
}

/// Gives connections the hub that they belong to, which exists only after its port does.
private final class HubBox: Sendable {
    private let stored = Mutex<TestHub?>(nil)

    var hub: TestHub? {
        get { stored.withLock { $0 } }
        set { stored.withLock { $0 = newValue } }
    }
}

// MARK: - What it has, and does wrong

extension TestHub {
    /// Puts a commit of a repository in the place of the one before.
    public func publish(_ name: String, commit: String, _ files: [String: [UInt8]]) {
        state.withLock { $0.repositories[name] = Repository(commit: commit, files: files) }
    }

    /// Lets the next requests of a kind go wrong, one after the other.
    ///
    /// - Parameters:
    ///   - key: Such as `GET model.safetensors`, `HEAD config.json`, `CDN model.safetensors` or `LIST`.
    ///   - faults: What to do.
    public func fail(_ key: String, with faults: Fault...) {
        state.withLock { $0.faults[key, default: []] += faults }
    }

    /// Answers every listing with these bytes.
    public func answerListings(with text: String) {
        state.withLock { $0.listing = Array(text.utf8) }
    }

    /// Refuses who does not send this token.
    public func require(token: String) { state.withLock { $0.token = token } }

    /// Redirects to another server for large files.
    public func redirectLargeFiles(to cdn: TestHub) { state.withLock { $0.cdn = cdn.address } }

    /// Says how to see that a file's first bytes have arrived: until then no connection is broken off.
    ///
    /// A client may drop what it has received and not yet looked at when a connection ends, so without this the place
    /// where it goes on would be a matter of timing.
    public func breakOffWhen(hasArrived: @escaping @Sendable (_ file: String, _ count: Int) -> Bool)
    {
        state.withLock { $0.hasArrived = hasArrived }
    }

    /// Lets go of the answers that ``Fault/gate(after:)`` holds.
    public func openGate() {
        let held = state.withLock { state in
            state.gateIsOpen = true
            let held = state.gate
            state.gate = []
            return held
        }
        for answer in held { answer() }
    }

    /// The requests so far, in order.
    public var requests: [Request] { state.withLock { $0.requests } }

    /// The requests of one kind, such as `GET model.safetensors`.
    public func requests(_ key: String) -> [Request] { requests.filter { $0.key == key } }

    /// How many bytes of a file's body were sent.
    public func served(_ file: String) -> Int { state.withLock { $0.served[file] ?? 0 } }

    /// The name that the hub gives to bytes: sha256 of large files, git's sha1 of small ones.
    public static func tag(_ bytes: [UInt8]) -> String {
        if bytes.count >= largeSize { return hex(SHA256.hash(data: bytes)) }
        return hex(Insecure.SHA1.hash(data: Array("blob \(bytes.count)\0".utf8) + bytes))
    }

    private static func hex(_ digest: some Sequence<UInt8>) -> String {
        digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
