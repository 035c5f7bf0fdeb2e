import Foundation

/// Where the hub and its cache are, and how patiently to ask.
///
/// The variables are those of Python's hub client, with the same meaning and precedence, so that both share one cache:
/// `HF_ENDPOINT`, `HF_HOME`, `HF_HUB_CACHE` (before it the older `HUGGINGFACE_HUB_CACHE`), `HF_TOKEN` (or the older
/// `HUGGING_FACE_HUB_TOKEN`), `HF_TOKEN_PATH`, `HF_HUB_DISABLE_IMPLICIT_TOKEN`, `HF_HUB_OFFLINE` (or
/// `TRANSFORMERS_OFFLINE`), `HF_HUB_ETAG_TIMEOUT` and `HF_HUB_DOWNLOAD_TIMEOUT`, and for proxies `http_proxy`,
/// `https_proxy`, `all_proxy` and `no_proxy`. An empty variable counts as unset.
///
/// ## Source
/// huggingface_hub, `constants.py`, and `utils/_auth.py`, `get_token`.
public struct HubConfiguration: Sendable, Equatable {
    /// The hub that is asked where `HF_ENDPOINT` names no other.
    public static let defaultEndpoint = "https://huggingface.co"

    /// The hub's address, without a slash at its end.
    public var endpoint: String

    /// The folder that holds `models--ORG--NAME`.
    public var cacheFolder: String

    /// The user's token, if there is one.
    ///
    /// It is sent to the endpoint only, never where that redirects to.
    public var token: HubToken?

    /// Whether the network is off limits.
    public var isOffline: Bool

    /// How long to wait for a connection and for the head of an answer.
    public var answerTimeout: Duration = .seconds(10)

    /// How long a download may be silent.
    public var silenceTimeout: Duration = .seconds(10)

    /// What is between here and the hub.
    var proxies: HubProxies

    /// When to ask again.
    public var retries = HubRetryPolicy()

    /// Reads the environment.
    ///
    /// - Parameter environment: The variables; nil for those of the process.
    /// - Throws: ``HubError/invalidSetting(name:reason:)`` that names the variable.
    public init(environment: [String: String]? = nil) throws(HubError) {
        let variables = HubEnvironment(environment ?? ProcessInfo.processInfo.environment)
        endpoint = try Self.endpoint(variables)
        cacheFolder = variables.cacheFolder
        token = try Self.token(variables)
        proxies = HubProxies(variables)
        isOffline = variables.isTrue("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
        if let seconds = try variables.seconds("HF_HUB_ETAG_TIMEOUT") { answerTimeout = seconds }
        if let seconds = try variables.seconds("HF_HUB_DOWNLOAD_TIMEOUT") {
            silenceTimeout = seconds
        }
    }

    private static func endpoint(_ variables: HubEnvironment) throws(HubError) -> String {
        var text = variables["HF_ENDPOINT"] ?? defaultEndpoint
        while text.hasSuffix("/") { text.removeLast() }
        guard let url = URL(string: text), let scheme = url.scheme?.lowercased(),
            scheme == "https" || scheme == "http", let host = url.host(), !host.isEmpty,
            url.query == nil, url.fragment == nil
        else {
            throw HubError.invalidSetting(
                name: "HF_ENDPOINT",
                reason: "it is not a URL such as https://hub.example"
            )
        }
        guard url.user == nil, url.password == nil else {
            throw HubError.invalidSetting(
                name: "HF_ENDPOINT",
                reason: "URLs with a user name or password are not supported; use HF_TOKEN"
            )
        }
        return text
    }

    private static func token(_ variables: HubEnvironment) throws(HubError) -> HubToken? {
        if variables.isTrue("HF_HUB_DISABLE_IMPLICIT_TOKEN") { return nil }
        for name in ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"] {
            if let text = variables[name], let token = try HubToken(text, from: name) {
                return token
            }
        }
        let path = variables.tokenFile
        guard let bytes = FileManager.default.contents(atPath: path) else { return nil }
        return try HubToken(String(decoding: bytes, as: UTF8.self), from: path)
    }
}
