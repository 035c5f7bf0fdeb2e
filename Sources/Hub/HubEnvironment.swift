import Foundation

/// Variables of the environment as Python's hub client reads them.
struct HubEnvironment {
    private let variables: [String: String]

    init(_ variables: [String: String]) { self.variables = variables }

    /// The value of a variable that is set and not empty.
    subscript(name: String) -> String? {
        guard let value = variables[name], !value.isEmpty else { return nil }
        return value
    }

    /// Whether the first of the variables that is set says yes.
    func isTrue(_ names: String...) -> Bool {
        guard let value = names.lazy.compactMap({ self[$0] }).first else { return false }
        return ["1", "ON", "YES", "TRUE"].contains(value.uppercased())
    }

    /// A whole number of seconds, at least one.
    func seconds(_ name: String) throws(HubError) -> Duration? {
        guard let text = self[name] else { return nil }
        guard let value = Int(text), value > 0, value <= 86_400 else {
            throw HubError.invalidSetting(name: name, reason: "it is not a number of seconds")
        }
        return .seconds(value)
    }

    var cacheFolder: String {
        if let path = self["HF_HUB_CACHE"] ?? self["HUGGINGFACE_HUB_CACHE"] {
            return expanded(path)
        }
        return home + "/hub"
    }

    var tokenFile: String { self["HF_TOKEN_PATH"].map(expanded) ?? home + "/token" }

    /// `HF_HOME`, or `huggingface` in the user's cache.
    private var home: String {
        expanded(
            self["HF_HOME"] ?? (self["XDG_CACHE_HOME"] ?? userHome + "/.cache") + "/huggingface"
        )
    }

    private var userHome: String { self["HOME"] ?? NSHomeDirectory() }

    /// The path with `~` and `$NAME` or `${NAME}` replaced; names that are not set stay as they are.
    private func expanded(_ path: String) -> String {
        var rest = Substring(path)
        var result = ""
        if rest == "~" || rest.hasPrefix("~/") {
            result = userHome
            rest.removeFirst()
        }
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            let isBraced = rest.first == "{"
            let body = isBraced ? rest.dropFirst() : rest
            let name = body.prefix { $0 == "_" || ($0.isASCII && ($0.isLetter || $0.isNumber)) }
            let after = body[name.endIndex...]
            guard !isBraced || after.first == "}", let value = variables[String(name)] else {
                result += "$"
                continue
            }
            result += value
            rest = isBraced ? after.dropFirst() : after
        }
        result += rest
        while result.count > 1, result.hasSuffix("/") { result.removeLast() }
        return result
    }
}
