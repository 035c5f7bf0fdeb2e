import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// The head of an answer that is no failure, and its body to come.
struct HubAnswer {
    let status: Int
    let headers: HTTPHeaders
    let body: HTTPClientResponse.Body
    /// Whether the answer redirects to another server, and was not followed.
    let isRedirect: Bool

    func integer(_ header: String) -> Int? {
        headers.first(name: header).flatMap { Int($0.trimmingCharacters(in: .whitespaces)) }
    }
}

/// Requests to the hub and to the servers that it redirects to.
///
/// Redirects are followed here and not by the HTTP client, because the token must reach the endpoint's own origin
/// (scheme, host and port) and nobody else.
struct HubTransport: Sendable {
    let client: HTTPClient
    let configuration: HubConfiguration
    let repository: HubRepository

    static let userAgent = "swift-deit"
    private static let longestChain = 8

    static func clientConfiguration(_ configuration: HubConfiguration) -> HTTPClient.Configuration {
        var result = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(
                connect: TimeAmount(configuration.answerTimeout),
                read: TimeAmount(configuration.silenceTimeout)
            )
        )
        result.httpVersion = .http1Only
        // Attempts are counted, and told to the user, in one place.
        result.connectionPool.retryConnectionEstablishment = false
        return result
    }

    /// Asks for a file's tag and size.
    ///
    /// A redirect to another server is not followed: its head already tells them.
    func head(_ url: String, of what: String) async throws(HubTrouble) -> HubAnswer {
        try await send(.HEAD, url, of: what, from: 0, leavesHub: false)
    }

    /// Asks for a body, from an offset on.
    func get(
        _ url: String,
        of what: String,
        from offset: Int = 0
    ) async throws(HubTrouble) -> HubAnswer {
        try await send(.GET, url, of: what, from: offset, leavesHub: true)
    }

    private func send(
        _ method: HTTPMethod,
        _ address: String,
        of what: String,
        from offset: Int,
        leavesHub: Bool
    ) async throws(HubTrouble) -> HubAnswer {
        guard var url = URL(string: address) else {
            throw .final(
                .badAnswer(what: what, reason: "\(HubNames.quoted(address)) is no address")
            )
        }
        for _ in 0..<Self.longestChain {
            let isHome = HubOrigin(url) == HubOrigin(URL(string: configuration.endpoint))
            let response = try await execute(method, url, from: offset, withToken: isHome)
            let status = Int(response.status.code)
            guard (300..<400).contains(status), status != 304 else {
                let answer = HubAnswer(
                    status: status,
                    headers: response.headers,
                    body: response.body,
                    isRedirect: false
                )
                return try checked(answer, of: what, isHome: isHome)
            }
            let target = try self.target(of: response.headers, from: url, of: what)
            let staysHome = isHome && HubOrigin(target) == HubOrigin(url)
            let tellsTag = response.headers.contains(name: HubHeader.linkedTag)
            if !leavesHub, !staysHome, tellsTag {
                return HubAnswer(
                    status: status,
                    headers: response.headers,
                    body: response.body,
                    isRedirect: true
                )
            }
            url = target
        }
        throw .final(
            .badAnswer(what: what, reason: "it redirects more than \(Self.longestChain) times")
        )
    }

    private func execute(
        _ method: HTTPMethod,
        _ url: URL,
        from offset: Int,
        withToken: Bool
    ) async throws(HubTrouble) -> HTTPClientResponse {
        var request = HTTPClientRequest(url: url.absoluteString)
        request.method = method
        request.headers.add(name: "User-Agent", value: Self.userAgent)
        // A compressed body would have another length, and another offset, than the file.
        request.headers.add(name: "Accept-Encoding", value: "identity")
        if offset > 0 { request.headers.add(name: "Range", value: "bytes=\(offset)-") }
        if withToken, let token = configuration.token {
            request.headers.add(name: "Authorization", value: "Bearer \(token.value)")
        }
        do {
            return try await client.execute(
                request,
                timeout: TimeAmount(configuration.answerTimeout)
            )
        } catch {
            throw HubTrouble(error, configuration)
        }
    }

    private func target(
        of headers: HTTPHeaders,
        from url: URL,
        of what: String
    ) throws(HubTrouble) -> URL {
        let location = headers.first(name: "Location") ?? ""
        guard let target = URL(string: location, relativeTo: url)?.absoluteURL,
            let scheme = target.scheme?.lowercased(), scheme == "https" || scheme == "http",
            target.host()?.isEmpty == false
        else {
            let text = HubNames.quoted(location)
            throw .final(.badAnswer(what: what, reason: "it redirects to \(text)"))
        }
        guard url.scheme?.lowercased() != "https" || scheme == "https" else {
            throw .final(.badAnswer(what: what, reason: "it redirects from https to plain http"))
        }
        return target
    }
}

/// The names of the hub's own header fields.
enum HubHeader {
    static let linkedTag = "X-Linked-Etag"
    static let linkedSize = "X-Linked-Size"
    static let commit = "X-Repo-Commit"
    static let errorCode = "X-Error-Code"
}

/// Scheme, host and port: what two addresses must share to be the same server.
struct HubOrigin: Equatable {
    private let scheme: String
    private let host: String
    private let port: Int

    init?(_ url: URL?) {
        guard let url, let scheme = url.scheme?.lowercased(), let host = url.host()?.lowercased()
        else { return nil }
        self.scheme = scheme
        self.host = host
        port = url.port ?? (scheme == "https" ? 443 : 80)
    }
}

// MARK: - Failures

extension HubTransport {
    /// The answer itself, or what its status means.
    private func checked(
        _ answer: HubAnswer,
        of what: String,
        isHome: Bool
    ) throws(HubTrouble) -> HubAnswer {
        switch answer.status {
        case 200..<300, 416: return answer
        case 401, 403:
            // A signed address of another server has run out; the hub signs a new one.
            guard isHome else {
                throw .passing(
                    reason: "the server of the files answered \(answer.status)",
                    wait: nil
                )
            }
            throw .final(.accessDenied(repository: repository.name, reason: denial(answer)))
        case 404, 410: throw .final(.notFound(what: what, reason: absence(answer)))
        case 408, 425, 429, 500...599:
            let reason = answer.status == 429 ? "too many requests" : "answer \(answer.status)"
            let wait = answer.integer("Retry-After").map { Duration.seconds(max($0, 0)) }
            throw .passing(reason: reason, wait: wait)
        default:
            throw .final(.badAnswer(what: what, reason: "its status is \(answer.status)"))
        }
    }

    private func denial(_ answer: HubAnswer) -> String {
        let hasToken = configuration.token != nil
        switch answer.headers.first(name: HubHeader.errorCode) {
        case "GatedRepo":
            return "it is gated: accept its terms on its page on the hub"
                + (hasToken ? "" : ", and set HF_TOKEN to a token of that account")
        case "RepoNotFound":
            return "there is no such repository, or it is private"
                + (hasToken ? " and not open to the token's owner" : "; if so, set HF_TOKEN")
        default:
            return hasToken
                ? "the hub refuses the token (answer \(answer.status)); set HF_TOKEN to a valid one"
                : "the hub wants a token (answer \(answer.status)); set HF_TOKEN to yours"
        }
    }

    private func absence(_ answer: HubAnswer) -> String {
        switch answer.headers.first(name: HubHeader.errorCode) {
        case "RepoNotFound": "there is no repository \(repository.name)"
        case "RevisionNotFound": "\(repository.name) has no such branch, tag or commit"
        case "EntryNotFound": "\(repository.name) has no such file"
        default: "it answered \(answer.status); check the name, and HF_ENDPOINT if it is set"
        }
    }
}
