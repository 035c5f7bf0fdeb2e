/// A user's access token, which no description, dump or error ever shows.
public struct HubToken: Sendable, Equatable {
    let value: String

    /// Takes a token, without the spaces and line breaks around it; nil for a text of nothing else.
    ///
    /// - Parameters:
    ///   - text: The token.
    ///   - source: Where it comes from, for the message.
    /// - Throws: ``HubError/invalidSetting(name:reason:)`` for characters that no request can carry.
    public init?(_ text: String, from source: String) throws(HubError) {
        let value = text.filter { !$0.isNewline }.drop { $0.isWhitespace }
        let end = value.lastIndex { !$0.isWhitespace }
        guard let end else { return nil }
        let token = String(value[...end])
        guard token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw HubError.invalidSetting(
                name: source,
                reason: "a token has letters, digits and '_' only"
            )
        }
        self.value = token
    }
}

extension HubToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Never the token.
    public var description: String { "(hidden)" }

    /// Never the token.
    public var debugDescription: String { "(hidden)" }

    /// Nothing: `dump` walks mirrors.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
