import CHTTP
import Foundation

/// Why one request failed, and whether another may succeed.
enum HubTrouble: Error {
    /// The network or the server failed in a way that may pass, after `wait` if the server said so.
    case passing(reason: String, wait: Duration?)

    /// Asking again would not help.
    case final(HubError)
}

extension HubTrouble {
    /// A failure of the connection in plain words.
    init(_ failure: HTTPFailure, _ configuration: HubConfiguration) {
        let final = { (reason: String) in
            HubTrouble.final(.unreachable(what: configuration.endpoint, reason: reason))
        }
        switch failure.kind {
        case HT_CANCELLED: self = .final(.cancelled)
        // Asking again does not help against these.
        case HT_UNTRUSTED:
            self = final(
                "the server's certificate is not trusted by this system, or is for "
                    + "another host (\(HubNames.quoted(failure.message)))"
            )
        case HT_BAD_ADDRESS: self = final("its URL, or the URL that it redirects to, is invalid")
        case HT_PROXY_REFUSED where failure.proxyCode < 500:
            self = final(
                "the proxy refuses the connection (status \(failure.proxyCode)); check HTTPS_PROXY"
            )
        default: self = .passing(reason: Self.reason(failure, configuration), wait: nil)
        }
    }

    private static func reason(_ failure: HTTPFailure, _ configuration: HubConfiguration) -> String
    {
        let (answer, silence) = (configuration.answerTimeout, configuration.silenceTimeout)
        return switch failure.kind {
        case HT_CONNECT_TIMEOUT: "no connection within \(answer)"
        case HT_ANSWER_TIMEOUT: "the server did not answer within \(answer)"
        case HT_SILENCE: "the server sent nothing for \(silence)"
        case HT_NO_HOST: "the host name was not found (\(HubNames.quoted(failure.message)))"
        case HT_NO_PROXY: "the proxy's host name was not found; check HTTPS_PROXY"
        case HT_PROXY_REFUSED: "the proxy refuses the connection (status \(failure.proxyCode))"
        case HT_NOT_CONNECTED where failure.errorNumber != 0:
            String(cString: strerror(failure.errorNumber)).lowercased()
        case HT_NOT_CONNECTED: "the connection failed"
        case HT_BROKEN_OFF: "the connection was lost"
        case HT_NOT_HTTP: "the response is not HTTP"
        case HT_NOT_SECURE: "no secure connection: \(HubNames.quoted(failure.message))"
        default: HubNames.quoted(failure.message)
        }
    }
}
