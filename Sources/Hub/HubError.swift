/// What can go wrong between the hub and its cache.
///
/// Every case says what was requested, what was wrong and, where there is one, the way out. No text holds the token.
public enum HubError: Error, Sendable, Equatable {
    /// A repository or a revision cannot have such a name.
    case invalidName(String, reason: String)

    /// A variable of the environment, or the file that it names, holds something that cannot be used.
    case invalidSetting(name: String, reason: String)

    /// The network is switched off and the cache lacks what is needed.
    case offline(repository: String, revision: String, reason: String)

    /// A text is neither a path that exists nor the name of a model that can be had.
    case unresolved(String, reason: String)

    /// No answer that could be used, after several attempts.
    case unreachable(what: String, reason: String)

    /// The hub does not give this repository to this user.
    case accessDenied(repository: String, reason: String)

    /// The hub has no such repository, revision or file.
    case notFound(what: String, reason: String)

    /// The hub's answer makes no sense, or holds a name that leads out of the cache.
    case badAnswer(what: String, reason: String)

    /// Other bytes than the hub promised arrived; they were thrown away.
    case wrongBytes(file: String, reason: String)

    /// The repository holds nothing that a model could be made of.
    case noModel(repository: String, reason: String)

    /// The cache could not be read or written; no half-written file has a final name.
    case cache(path: String, reason: String)

    /// The task was cancelled; what has arrived is kept, and the next attempt goes on from there.
    case cancelled
}

extension HubError: CustomStringConvertible {
    /// One sentence that says what is wrong, where, and what to do.
    public var description: String {
        switch self {
        case .invalidName(let name, let reason): "\"\(name)\" is not a Hub model ID: \(reason)"
        case .invalidSetting(let name, let reason): "\(name) cannot be used: \(reason)"
        case .offline(let repository, let revision, let reason):
            "\(repository) at \(revision) is not in the cache: \(reason); HF_HUB_OFFLINE "
                + "prevents its download"
        case .unresolved(let name, let reason):
            "\(name) is neither a file or directory here nor a Hub model ID that can be loaded: \(reason)"
        case .unreachable(let what, let reason): "cannot download \(what): \(reason)"
        case .accessDenied(let repository, let reason): "no access to \(repository): \(reason)"
        case .notFound(let what, let reason): "the Hub has no \(what): \(reason)"
        case .badAnswer(let what, let reason):
            "the Hub's response for \(what) is invalid: \(reason)"
        case .wrongBytes(let file, let reason):
            "\(file) was not downloaded correctly: \(reason); the download was deleted"
        case .noModel(let repository, let reason): "\(repository) contains no model: \(reason)"
        case .cache(let path, let reason): "the Hub cache cannot be used: \(path): \(reason)"
        case .cancelled: "stopped; the same call continues the download"
        }
    }
}
