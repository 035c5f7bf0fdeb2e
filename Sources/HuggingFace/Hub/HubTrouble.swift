import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// Why one request failed, and whether another may succeed.
enum HubTrouble: Error {
    /// The network or the server failed in a way that may pass, after `wait` if the server said so.
    case passing(reason: String, wait: Duration?)

    /// Asking again would not help.
    case final(HubError)
}

extension HubTrouble {
    /// An error of the HTTP client in plain words.
    init(_ error: any Error, _ configuration: HubConfiguration) {
        if error is CancellationError || error as? HTTPClientError == .cancelled {
            self = .final(.cancelled)
        } else if String(reflecting: type(of: error)).hasPrefix("NIOSSL.") {
            // Most often a certificate that the system does not know: asking again does not help.
            let isUnknown = "\(error)".contains("CERTIFICATE")
            let reason =
                isUnknown
                ? "the server's certificate is not signed by anyone whom this system trusts"
                : "no secure connection: \(HubNames.quoted("\(error)"))"
            self = .final(.unreachable(what: configuration.endpoint, reason: reason))
        } else {
            self = .passing(reason: Self.reason(error, configuration), wait: nil)
        }
    }

    private static func reason(_ error: any Error, _ configuration: HubConfiguration) -> String {
        switch error {
        case let error as HTTPClientError: return reason(error, configuration)
        case is HTTPParserError: return "the connection broke off, or the answer was no HTTP"
        case is ChannelError: return "the connection broke off, or none could be made"
        case let error as IOError: return words(error)
        case let error as NIOConnectionError:
            let inner = error.connectionErrors.first?.error as? IOError
            return inner.map(words) ?? "the host name \(HubNames.quoted(error.host)) was not found"
        default: return HubNames.quoted("\(error)")
        }
    }

    private static func reason(
        _ error: HTTPClientError,
        _ configuration: HubConfiguration
    ) -> String {
        let (answer, silence) = (configuration.answerTimeout, configuration.silenceTimeout)
        if error == .readTimeout { return "the server was silent for \(silence)" }
        if error == .deadlineExceeded || error == .getConnectionFromPoolTimeout {
            return "the server did not answer within \(answer)"
        }
        if error == .connectTimeout || error == .tlsHandshakeTimeout {
            return "no connection within \(answer)"
        }
        if error == .remoteConnectionClosed { return "the connection broke off" }
        return error.shortDescription.lowercased()
    }

    private static func words(_ error: IOError) -> String {
        String(cString: strerror(error.errnoCode)).lowercased()
    }
}
