import Foundation

/// The head of an answer that is no failure, and its body to come.
struct HubAnswer {
    let head: HTTPHead
    /// Whether the answer redirects to another server, and was not followed.
    let isRedirect: Bool
    fileprivate let body: HTTPBody

    var status: Int { head.status }

    func integer(_ field: String) -> Int? { head[field].flatMap { Int($0) } }
}

/// Requests to the hub and to the servers that it redirects to.
///
/// Redirects are followed here and not by the HTTP client, because the token must reach the endpoint's own origin
/// (scheme, host and port) and nobody else.
struct HubTransport: Sendable {
    let connection: HTTPConnection
    let configuration: HubConfiguration
    let repository: HubRepository

    static let userAgent = "swift-deit"
    private static let longestChain = 8

    /// Asks for a file's tag and size.
    ///
    /// A redirect to another server is not followed: its head already tells them.
    func head(_ url: String, of what: String) async throws(HubTrouble) -> HubAnswer {
        try await send(url, of: what, from: 0, isHead: true)
    }

    /// Asks for a body, from an offset on.
    func get(
        _ url: String,
        of what: String,
        from offset: Int = 0
    ) async throws(HubTrouble) -> HubAnswer {
        try await send(url, of: what, from: offset, isHead: false)
    }

    /// The next bytes of a body; nil at its end.
    func next(of answer: HubAnswer) async throws(HubTrouble) -> [UInt8]? {
        do throws(HTTPFailure) {
            return try await answer.body.next(silence: configuration.silenceTimeout)
        } catch { throw HubTrouble(error, configuration) }
    }

    private func send(
        _ address: String,
        of what: String,
        from offset: Int,
        isHead: Bool
    ) async throws(HubTrouble) -> HubAnswer {
        guard var url = URL(string: address) else {
            throw .final(
                .badAnswer(what: what, reason: "\(HubNames.quoted(address)) is not a URL")
            )
        }
        for _ in 0..<Self.longestChain {
            guard let origin = HubOrigin(url) else {
                throw .final(
                    .badAnswer(what: what, reason: "\(HubNames.quoted(address)) is not a URL")
                )
            }
            let isHome = origin == HubOrigin(URL(string: configuration.endpoint))
            let (head, body) = try await execute(url, from: offset, isHead, withToken: isHome)
            guard (300..<400).contains(head.status), head.status != 304 else {
                let answer = HubAnswer(head: head, isRedirect: false, body: body)
                return try checked(answer, of: what, isHome: isHome)
            }
            let target = try self.target(of: head, from: url, of: what)
            let staysHome = isHome && HubOrigin(target) == origin
            if isHead, !staysHome, head[HubHeader.linkedTag] != nil {
                return HubAnswer(head: head, isRedirect: true, body: body)
            }
            url = target
        }
        throw .final(
            .badAnswer(what: what, reason: "it redirects more than \(Self.longestChain) times")
        )
    }

    private func execute(
        _ url: URL,
        from offset: Int,
        _ isHead: Bool,
        withToken: Bool
    ) async throws(HubTrouble) -> (HTTPHead, HTTPBody) {
        var request = HTTPConnection.Request(url: url, isHead: isHead)
        request.proxy = configuration.proxies.proxy(for: url)
        request.proxyExceptions = configuration.proxies.exceptions
        request.fields.append(("User-Agent", Self.userAgent))
        // A compressed body would have another length, and another offset, than the file.
        request.fields.append(("Accept-Encoding", "identity"))
        if offset > 0 { request.fields.append(("Range", "bytes=\(offset)-")) }
        if withToken, let token = configuration.token {
            request.fields.append(("Authorization", "Bearer \(token.value)"))
        }
        do throws(HTTPFailure) {
            return try await connection.send(request, within: configuration.answerTimeout)
        } catch { throw HubTrouble(error, configuration) }
    }

    private func target(
        of head: HTTPHead,
        from url: URL,
        of what: String
    ) throws(HubTrouble) -> URL {
        let location = head["Location"] ?? ""
        guard let target = URL(string: location, relativeTo: url)?.absoluteURL,
            let scheme = target.scheme?.lowercased(), scheme == "https" || scheme == "http",
            HubOrigin(target) != nil
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
///
/// An address with a user's name, or a host with other characters than names and numbers of hosts have, has none: libcurl
/// could read it differently than Foundation, and send a token elsewhere than was decided here.
struct HubOrigin: Equatable {
    private let scheme: String
    private let host: String
    private let port: Int

    init?(_ url: URL?) {
        guard let url, let scheme = url.scheme?.lowercased(), let host = url.host()?.lowercased(),
            !host.isEmpty, host.utf8.allSatisfy(Self.isPlain), url.user == nil
        else { return nil }
        self.scheme = scheme
        self.host = host
        port = url.port ?? (scheme == "https" ? 443 : 80)
    }

    private static func isPlain(_ character: UInt8) -> Bool {
        switch character {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "-._:[]".utf8.contains(character)
        }
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
                    reason: "the file server responded with status \(answer.status)",
                    wait: nil
                )
            }
            throw .final(.accessDenied(repository: repository.name, reason: denial(answer)))
        case 404, 410: throw .final(.notFound(what: what, reason: absence(answer)))
        case 408, 425, 429, 500...599:
            let reason = answer.status == 429 ? "too many requests" : "status \(answer.status)"
            let wait = answer.integer("Retry-After").map { Duration.seconds(max($0, 0)) }
            throw .passing(reason: reason, wait: wait)
        default:
            throw .final(.badAnswer(what: what, reason: "its status is \(answer.status)"))
        }
    }

    private func denial(_ answer: HubAnswer) -> String {
        let hasToken = configuration.token != nil
        switch answer.head[HubHeader.errorCode] {
        case "GatedRepo":
            return "it is gated: accept its terms on its Hub page"
                + (hasToken ? "" : ", and set HF_TOKEN to a token of that account")
        case "RepoNotFound":
            return "there is no such repository, or it is private"
                + (hasToken ? " and the token has no access" : "; if so, set HF_TOKEN")
        default:
            return hasToken
                ? "the Hub rejects the token (status \(answer.status)); set HF_TOKEN to a valid one"
                : "a token is required (status \(answer.status)); set HF_TOKEN"
        }
    }

    private func absence(_ answer: HubAnswer) -> String {
        switch answer.head[HubHeader.errorCode] {
        case "RepoNotFound": "there is no repository \(repository.name)"
        case "RevisionNotFound": "\(repository.name) has no such branch, tag or commit"
        case "EntryNotFound": "\(repository.name) has no such file"
        default:
            "the Hub responded with status \(answer.status); check the name, and HF_ENDPOINT if it is set"
        }
    }
}
