/// The name of a model repository on the hub: `ORG/NAME`, or `NAME` for the few without an owner.
///
/// ## Source
/// huggingface_hub, `utils/_validators.py`, `validate_repo_id`, and `file_download.py`, `repo_folder_name`.
public struct HubRepository: Sendable, Hashable, CustomStringConvertible {
    /// The name, such as `facebook/deit-tiny-patch16-224`.
    public let name: String

    /// The name.
    public var description: String { name }

    /// The repository's folder in the cache, such as `models--facebook--deit-tiny-patch16-224`.
    public var folderName: String {
        "models--" + name.split(separator: "/").joined(separator: "--")
    }

    /// Reads a name.
    ///
    /// - Parameter name: One or two parts of letters, digits, `-`, `_` and `.`, each of at most 96 characters that
    ///   begins and ends with none of `-` and `.`.
    /// - Throws: ``HubError/invalidName(_:reason:)``.
    public init(_ name: String) throws(HubError) {
        if let fault = Self.fault(in: name) {
            throw HubError.invalidName(name, reason: fault)
        }
        self.name = name
    }

    private static func fault(in name: String) -> String? {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2 else { return "a repository is called ORG/NAME" }
        for part in parts {
            guard !part.isEmpty else { return "a repository is called ORG/NAME" }
            guard part.utf8.count <= 96 else {
                return "a part of a repository's name has at most 96 characters"
            }
            guard part.utf8.allSatisfy({ isWord($0) || $0 == dash || $0 == dot }) else {
                return "a repository's name has letters, digits, '-', '_' and '.' only"
            }
            guard let first = part.utf8.first, let last = part.utf8.last, isWord(first),
                isWord(last)
            else { return "no part of a repository's name begins or ends with '-' or '.'" }
        }
        guard !name.contains("--"), !name.contains("..") else {
            return "a repository's name has neither \"--\" nor \"..\" in it"
        }
        return name.hasSuffix(".git") ? "leave out the \".git\" at its end" : nil
    }

    private static let dash = UInt8(ascii: "-")
    private static let dot = UInt8(ascii: ".")

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
