import CHTTP
import Dispatch
import Foundation
import Synchronization

/// The connections of one pull, through the system's libcurl: one request at a time.
///
/// libcurl's calls block, so they run on a queue of their own and not on the threads of Swift's tasks. A task that is
/// cancelled ends its request at once, and no other can be made after it.
final class HTTPConnection: Sendable {
    /// What to ask for.
    struct Request: Sendable {
        let url: URL
        let isHead: Bool
        var fields: [(name: String, value: String)] = []
        var proxy: String?
        var proxyExceptions: String?
    }

    private let queue = DispatchQueue(label: "deit.hub")
    // Nil when libcurl cannot be started. Used on the queue alone, but for its cancellation, which any thread may ask for.
    nonisolated(unsafe) private let client: OpaquePointer?
    /// The number of the latest request: its body is the one that is there.
    private let latest = Mutex(0)

    init() { client = ht_create() }

    deinit { ht_destroy(client) }

    /// Sends a request and waits for the head of its answer.
    func send(
        _ request: Request,
        within limit: Duration
    ) async throws(HTTPFailure) -> (head: HTTPHead, body: HTTPBody) {
        let (head, number) = try await run { [self] client throws(HTTPFailure) in
            let number = latest.withLock { latest in
                latest += 1
                return latest
            }
            return (try begin(request, within: limit, client), number)
        }
        return (head, HTTPBody(connection: self, number: number))
    }

    /// The next bytes of a request's body; nil at its end.
    fileprivate func next(
        of number: Int,
        silence: Duration
    ) async throws(HTTPFailure) -> [UInt8]? {
        try await run { [self] client throws(HTTPFailure) in
            guard latest.withLock({ $0 == number }) else { throw HTTPFailure(kind: HT_BROKEN_OFF) }
            var bytes: UnsafePointer<UInt8>?
            var count = 0
            let status = ht_read(client, silence.milliseconds, &bytes, &count)
            if status == HT_END { return nil }
            guard status == HT_OK else { throw HTTPFailure(status, client) }
            return [UInt8](UnsafeBufferPointer(start: bytes, count: count))
        }
    }

    private func begin(
        _ request: Request,
        within limit: Duration,
        _ client: OpaquePointer
    ) throws(HTTPFailure) -> HTTPHead {
        for field in request.fields {
            guard ht_add_field(client, "\(field.name): \(field.value)") else {
                throw HTTPFailure(kind: HT_FAILED, message: "out of memory")
            }
        }
        let status = request.url.absoluteString.withCString { url in
            withCString(request.proxy) { proxy in
                withCString(request.proxyExceptions) { exceptions in
                    var request = ht_request(
                        url: url,
                        is_head: request.isHead,
                        proxy: proxy,
                        no_proxy: exceptions,
                        answer_ms: limit.milliseconds
                    )
                    return ht_begin(client, &request)
                }
            }
        }
        guard status == HT_OK else { throw HTTPFailure(status, client) }
        var count = 0
        let start = ht_head(client, &count)
        let bytes = UnsafeRawBufferPointer(start: start, count: count)
        return HTTPHead(status: Int(ht_code(client)), text: String(decoding: bytes, as: UTF8.self))
    }

    private func run<Value: Sendable>(
        _ work: @escaping @Sendable (OpaquePointer) throws(HTTPFailure) -> Value
    ) async throws(HTTPFailure) -> Value {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                queue.async { [self] in continuation.resume(returning: attempt(work)) }
            }
        } onCancel: { [self] in
            if let client { ht_cancel(client) }
        }
        return try result.get()
    }

    private func attempt<Value>(
        _ work: (OpaquePointer) throws(HTTPFailure) -> Value
    ) -> Result<Value, HTTPFailure> {
        guard let client else {
            return .failure(HTTPFailure(kind: HT_FAILED, message: "libcurl cannot be started"))
        }
        return Result { () throws(HTTPFailure) in try work(client) }
    }
}

/// The body of an answer, as it arrives.
struct HTTPBody: Sendable {
    fileprivate let connection: HTTPConnection
    fileprivate let number: Int

    /// The next bytes, at least one; nil at the end.
    ///
    /// - Throws: ``HTTPFailure`` also when another request was sent on the connection since.
    func next(silence: Duration) async throws(HTTPFailure) -> [UInt8]? {
        try await connection.next(of: number, silence: silence)
    }
}

/// The status of an answer and its header fields.
struct HTTPHead: Sendable {
    let status: Int
    private let fields: [(name: String, value: String)]

    /// Reads a status line and fields.
    init(status: Int, text: String) {
        self.status = status
        fields = text.split(whereSeparator: \.isNewline).dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: ":"), line.first?.isWhitespace == false else {
                return nil
            }
            let value = line[line.index(after: colon)...]
            return (
                line[..<colon].lowercased(), value.trimmingCharacters(in: .whitespaces)
            )
        }
    }

    /// The value of the first field with a name, whose case does not matter.
    subscript(name: String) -> String? {
        let name = name.lowercased()
        return fields.first { $0.name == name }?.value
    }
}

/// Why a request failed.
struct HTTPFailure: Error {
    let kind: ht_status
    /// `errno`, or 0.
    var errorNumber: Int32 = 0
    /// The status code that the proxy answered with, or 0.
    var proxyCode = 0
    /// libcurl's words.
    var message = ""
}

extension HTTPFailure {
    fileprivate init(_ kind: ht_status, _ client: OpaquePointer) {
        self.init(
            kind: kind,
            errorNumber: ht_error_number(client),
            proxyCode: ht_proxy_code(client),
            message: String(cString: ht_message(client))
        )
    }
}

private func withCString<Result>(
    _ text: String?,
    _ body: (UnsafePointer<CChar>?) -> Result
) -> Result {
    guard let text else { return body(nil) }
    return text.withCString(body)
}

extension Duration {
    fileprivate var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return min(seconds, .max / 2_000) * 1_000 + attoseconds / 1_000_000_000_000_000
    }
}
