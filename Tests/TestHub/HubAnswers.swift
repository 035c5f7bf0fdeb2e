/// What a well-behaved hub answers.
struct HubAnswers {
    let repositories: [String: TestHub.Repository]
    let listing: [UInt8]?
    let token: String?
    let cdn: String?

    func reply(to route: HubRoute, from start: Int?) -> HubReply {
        switch route.target {
        case .listing(let name, let revision):
            if let listing { return .json(String(decoding: listing, as: UTF8.self)) }
            return found(name, revision) { repository in
                let files = repository.files.keys.sorted().map { "{\"rfilename\": \"\($0)\"}" }
                return .json(
                    "{\"id\": \"\(name)\", \"sha\": \"\(repository.commit)\", \"siblings\": ["
                        + files.joined(separator: ", ") + "]}"
                )
            }
        case .tree(let name, let revision):
            return found(name, revision) { .json("[\(tree(of: $0))]") }
        case .file(let name, let revision, let file):
            return found(name, revision) { repository in
                guard let bytes = repository.files[file] else {
                    return .error(404, "EntryNotFound")
                }
                return reply(bytes, file, repository.commit, from: start)
            }
        case .blob(let tag, let file):
            let all = repositories.values.flatMap(\.files.values)
            guard let bytes = all.first(where: { TestHub.tag($0) == tag }) else {
                return .error(404)
            }
            return reply(bytes, file, from: start, fields: ["ETag": "\"a-tag-of-the-cdn\""])
        case .unknown: return .error(404)
        }
    }

    private func found(
        _ name: String,
        _ revision: String,
        _ body: (TestHub.Repository) -> HubReply
    ) -> HubReply {
        guard let repository = repositories[name] else { return .error(404, "RepoNotFound") }
        guard revision == "main" || revision == "refs/pr/1" || revision == repository.commit else {
            return .error(404, "RevisionNotFound")
        }
        return body(repository)
    }

    private func tree(of repository: TestHub.Repository) -> String {
        repository.files.sorted { $0.key < $1.key }.map { name, bytes in
            let tag = TestHub.tag(bytes)
            let large =
                bytes.count >= TestHub.largeSize
                ? ", \"lfs\": {\"oid\": \"\(tag)\", \"size\": \(bytes.count), \"pointerSize\": 130}"
                : ""
            let object = bytes.count >= TestHub.largeSize ? String(tag.prefix(40)) : tag
            return "{\"type\": \"file\", \"path\": \"\(name)\", \"size\": \(bytes.count), "
                + "\"oid\": \"\(object)\"\(large)}"
        }.joined(separator: ", ")
    }

    private func reply(
        _ bytes: [UInt8],
        _ file: String,
        _ commit: String,
        from start: Int?
    ) -> HubReply {
        let tag = TestHub.tag(bytes)
        guard bytes.count >= TestHub.largeSize else {
            let fields = ["ETag": "\"\(tag)\"", "X-Repo-Commit": commit]
            return reply(bytes, file, from: start, fields: fields)
        }
        let fields = [
            "X-Linked-Etag": "\"\(tag)\"", "X-Linked-Size": "\(bytes.count)",
            "X-Repo-Commit": commit,
        ]
        guard let cdn else { return reply(bytes, file, from: start, fields: fields) }
        let redirect = [
            "Location": "\(cdn)/cdn/\(tag)/\(file)?signature=a%2Fb%3D%7E&x=1+2",
            "Content-Length": "0",
        ]
        return HubReply(status: 302, fields: fields.merging(redirect) { $1 })
    }

    private func reply(
        _ bytes: [UInt8],
        _ file: String,
        from start: Int?,
        fields: [String: String]
    ) -> HubReply {
        var reply = HubReply(fields: fields, body: bytes, file: file)
        if let start {
            guard start < bytes.count else { return .error(416) }
            reply.status = 206
            reply.start = start
            reply.body = Array(bytes[start...])
            reply.fields["Content-Range"] = "bytes \(start)-\(bytes.count - 1)/\(bytes.count)"
        }
        reply.fields["Content-Length"] = "\(reply.body.count)"
        return reply
    }
}

extension TestHub.State {
    var answers: HubAnswers {
        HubAnswers(repositories: repositories, listing: listing, token: token, cdn: cdn)
    }
}

extension HubReply {
    mutating func apply(_ fault: TestHub.Fault?) {
        switch fault {
        case .none, .status, .ignoreRange: break
        case .breakOff(let count):
            cut = count
            ending = .breakOff
        case .silence(let count):
            cut = count
            ending = .silence(after: count)
        case .gate(let count):
            cut = count
            ending = .gate
        case .bytes(let other):
            body = other
            fields["Content-Length"] = "\(other.count)"
        case .wrongRange: fields["Content-Range"] = "bytes 1-\(body.count)/\(body.count + 1)"
        case .surplus(let count):
            body += [UInt8](repeating: 0x21, count: count)
            fields["Content-Length"] = nil
        case .raw(let bytes): ending = .raw(bytes)
        case .fields(let others): fields.merge(others) { $1 }
        }
    }
}
