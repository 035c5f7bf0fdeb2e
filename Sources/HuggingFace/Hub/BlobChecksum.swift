import Crypto

/// The checksum that an entity tag of the hub is.
///
/// Large files have the sha256 of their bytes, small ones the name that git gives them: the sha1 of `blob SIZE`, a zero
/// byte and the bytes.
enum BlobChecksum: Equatable {
    case sha256(String)
    case git(String)

    /// The checksum in a tag, or nil for a tag of another kind, as some mirrors give.
    init?(tag: String) {
        if HubNames.isHexadecimal(tag, digits: 64) {
            self = .sha256(tag)
        } else if HubNames.isHexadecimal(tag, digits: 40) {
            self = .git(tag)
        } else {
            return nil
        }
    }

    /// What is wrong with a file, or nil when it has this checksum.
    func fault(of file: PartialFile) throws(HubError) -> String? {
        switch self {
        case .sha256(let promised):
            var hash = SHA256()
            try file.read { hash.update(bufferPointer: $0) }
            return Self.fault(Self.text(hash.finalize()), promised, "sha256")
        case .git(let promised):
            var hash = Insecure.SHA1()
            hash.update(data: Array("blob \(file.count)\0".utf8))
            try file.read { hash.update(bufferPointer: $0) }
            return Self.fault(Self.text(hash.finalize()), promised, "git sha1")
        }
    }

    private static func fault(_ found: String, _ promised: String, _ kind: String) -> String? {
        found == promised
            ? nil : "its \(kind) is \(found.prefix(12))… instead of \(promised.prefix(12))…"
    }

    private static func text(_ digest: some Sequence<UInt8>) -> String {
        digest.map { byte in
            let text = String(byte, radix: 16)
            return byte < 16 ? "0" + text : text
        }.joined()
    }
}
