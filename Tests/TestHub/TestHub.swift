import Digests
import Foundation
import Synchronization

/// A small model hub on loopback, which does what it is told to do wrong.
///
/// Small files are served by the hub itself; large ones by ``cdn``, where one is set, as the real hub redirects to.
public final class TestHub: Sendable {
    /// A request that arrived.
    public struct Request: Sendable, Equatable {
        /// The method and what was asked for, such as `GET model.safetensors`; `LIST` and `TREE` are listings.
        public let key: String
        /// The path and query; from a client that takes the hub for a proxy the whole address.
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
        /// These bytes instead of an answer, and the connection ends.
        case raw([UInt8])
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
        var gateIsOpen = false
        var isStopped = false
        var isListening = true
        var connections: [Int32: HubSocket] = [:]
        var hasArrived: @Sendable (String, Int) -> Bool = { _, _ in true }
    }

    let state = Mutex(State())
    private let port: Int

    /// From this size on a file is large: it has a sha256, and the CDN serves it.
    public static let largeSize = 512

    /// Starts a hub on a port that the system chooses.
    public init() throws {
        let (socket, port) = try HubSocket.listening()
        self.port = port
        Thread.detachNewThread { [self] in listen(at: socket) }
    }

    private func listen(at socket: HubSocket) {
        while !state.withLock({ $0.isStopped }) {
            guard let connection = socket.accepted(within: 20) else { continue }
            let isWanted = state.withLock { state in
                if !state.isStopped { state.connections[connection.descriptor] = connection }
                return !state.isStopped
            }
            guard isWanted else {
                connection.close()
                break
            }
            Thread.detachNewThread { [self] in
                HubConnection(socket: connection, hub: self).run()
                state.withLock { state in
                    state.connections[connection.descriptor] = nil
                    connection.close()
                }
            }
        }
        socket.close()
        state.withLock { $0.isListening = false }
    }

    /// Runs a closure with a hub, and ends the hub.
    public static func with<R>(
        isolation: isolated (any Actor)? = #isolation,
        _ body: (TestHub) async throws -> R
    ) async throws -> R {
        let hub = try TestHub()
        do {
            let result = try await body(hub)
            try await hub.stop()
            return result
        } catch {
            try await hub.stop()
            throw error
        }
    }

    /// Ends all connections; new ones are refused.
    public func stop() async throws {
        state.withLock { state in
            state.isStopped = true
            for connection in state.connections.values { connection.end() }
        }
        while state.withLock({ $0.isListening || !$0.connections.isEmpty }) {
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// The address, for `HF_ENDPOINT`.
    public var address: String { "http://127.0.0.1:\(port)" }
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
    public func openGate() { state.withLock { $0.gateIsOpen = true } }

    /// The requests so far, in order.
    public var requests: [Request] { state.withLock { $0.requests } }

    /// The requests of one kind, such as `GET model.safetensors`.
    public func requests(_ key: String) -> [Request] { requests.filter { $0.key == key } }

    /// How many bytes of a file's body were sent.
    public func served(_ file: String) -> Int { state.withLock { $0.served[file] ?? 0 } }

    /// The name that the hub gives to bytes: sha256 of large files, git's sha1 of small ones.
    public static func tag(_ bytes: [UInt8]) -> String {
        let isLarge = bytes.count >= largeSize
        do {
            var digest = try Digest(isLarge ? .sha256 : .sha1)
            if !isLarge { digest.update("blob \(bytes.count)\0".utf8) }
            digest.update(bytes)
            return try digest.finish()
        } catch { return "\(error)" }
    }
}
