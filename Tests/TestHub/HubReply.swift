import Foundation
import Synchronization

/// What a connection is to send.
struct HubReply {
    enum Ending {
        case complete
        case breakOff
        case silence(after: Int?)
        case gate
        case raw([UInt8])
    }

    var status = 200
    var fields: [String: String] = [:]
    var body: [UInt8] = []
    /// After how many bytes of the body to stop.
    var cut: Int?
    var ending = Ending.complete
    /// Which byte of the file the body begins with.
    var start = 0
    /// Whose bytes they are, to be counted.
    var file: String?

    static func error(_ status: Int, _ code: String? = nil) -> HubReply {
        var fields = ["Content-Length": "0"]
        if let code { fields["X-Error-Code"] = code }
        return HubReply(status: status, fields: fields)
    }

    static func json(_ text: String) -> HubReply {
        let body = Array(text.utf8)
        return HubReply(
            fields: ["Content-Type": "application/json", "Content-Length": "\(body.count)"],
            body: body
        )
    }
}

extension TestHub {
    /// Finds the answer to a request, and notes the request.
    func reply(to head: HubRequestHead) -> HubReply {
        let route = HubRoute(head.uri, head.isHead)
        let (fault, state) = state.withLock { state in
            state.requests.append(
                Request(
                    key: route.key,
                    path: head.uri,
                    authorization: head["Authorization"],
                    range: head["Range"]
                )
            )
            var faults = state.faults[route.key] ?? []
            let fault = faults.isEmpty ? nil : faults.removeFirst()
            state.faults[route.key] = faults
            return (fault, state.answers)
        }
        if case .status(let code, let fields) = fault {
            return HubReply(
                status: code,
                fields: ["Content-Length": "0"].merging(fields) { $1 }
            )
        }
        if let token = state.token, head["Authorization"] != "Bearer \(token)" {
            return .error(401, "RepoNotFound")
        }
        var range = head["Range"].flatMap(HubRoute.start)
        if case .ignoreRange = fault { range = nil }
        var reply = state.reply(to: route, from: range)
        reply.apply(fault)
        return reply
    }
}

/// What a path asks for.
struct HubRoute {
    enum Target {
        case listing(repository: String, revision: String)
        case tree(repository: String, revision: String)
        case file(repository: String, revision: String, name: String)
        case blob(tag: String, name: String)
        case unknown
    }

    let target: Target
    let key: String
    let isHead: Bool

    init(_ uri: String, _ isHead: Bool) {
        self.isHead = isHead
        // A client of a proxy sends it the whole address.
        let isWhole = uri.hasPrefix("http://")
        let host = isWhole ? uri.dropFirst("http://".count).prefix { $0 != "/" } : ""
        let uri = isWhole ? String(uri.dropFirst("http://".count + host.count)) : uri
        let path = uri.split(separator: "?").first ?? ""
        let parts = path.split(separator: "/").map { $0.removingPercentEncoding ?? String($0) }
        let method = isHead ? "HEAD" : "GET"
        if parts.count == 6, parts[0] == "api", parts[4] == "revision" {
            target = .listing(repository: "\(parts[2])/\(parts[3])", revision: parts[5])
            key = "LIST"
        } else if parts.count >= 6, parts[0] == "api", parts[4] == "tree" {
            target = .tree(repository: "\(parts[2])/\(parts[3])", revision: parts[5])
            key = "TREE"
        } else if parts.count >= 5, parts[2] == "resolve" {
            let name = parts[4...].joined(separator: "/")
            target = .file(repository: "\(parts[0])/\(parts[1])", revision: parts[3], name: name)
            key = "\(method) \(name)"
        } else if parts.count >= 3, parts[0] == "cdn" {
            let name = parts[2...].joined(separator: "/")
            target = .blob(tag: parts[1], name: name)
            key = "CDN \(name)"
        } else {
            target = .unknown
            key = "\(method) \(uri)"
        }
    }

    /// The first byte that a range asks for.
    static func start(_ range: String) -> Int? {
        guard range.hasPrefix("bytes="), range.hasSuffix("-") else { return nil }
        return Int(range.dropFirst("bytes=".count).dropLast())
    }
}
