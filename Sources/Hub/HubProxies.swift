import Foundation

/// The proxies that the environment names, as Python's hub client reads them.
///
/// `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, or the same in capitals. Their addresses may hold a password,
/// so no description or dump shows them.
struct HubProxies: Sendable, Equatable {
    private var http: String?
    private var https: String?
    /// The hosts that are asked directly: names, endings of names, addresses, or `*`.
    private(set) var exceptions: String?

    init(_ variables: HubEnvironment) {
        func value(_ name: String) -> String? { variables[name] ?? variables[name.uppercased()] }
        // A web server puts a request's field `Proxy` into HTTP_PROXY of the programs that it starts.
        let isStartedByServer = variables["REQUEST_METHOD"] != nil
        let plain = isStartedByServer ? variables["http_proxy"] : value("http_proxy")
        http = plain ?? value("all_proxy")
        https = value("https_proxy") ?? value("all_proxy")
        exceptions = value("no_proxy")
    }

    /// The proxy on the way to an address, unless its host is an exception.
    func proxy(for url: URL) -> String? { url.scheme?.lowercased() == "https" ? https : http }
}

extension HubProxies: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "(hidden)" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: [:]) }
}
