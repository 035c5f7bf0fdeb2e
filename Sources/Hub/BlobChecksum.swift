import Digests

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
            return Self.fault(try Self.digest(.sha256, of: file), promised, "sha256")
        case .git(let promised):
            let found = try Self.digest(.sha1, of: file, after: "blob \(file.count)\0")
            return Self.fault(found, promised, "git sha1")
        }
    }

    private static func fault(_ found: String, _ promised: String, _ kind: String) -> String? {
        found == promised
            ? nil : "its \(kind) is \(found.prefix(12))… instead of \(promised.prefix(12))…"
    }

    private static func digest(
        _ algorithm: Digest.Algorithm,
        of file: PartialFile,
        after prefix: String = ""
    ) throws(HubError) -> String {
        func unchecked(_ error: DigestError) -> HubError {
            .cache(path: file.path, reason: "its checksum cannot be computed: \(error)")
        }
        var digest: Digest
        do throws(DigestError) { digest = try Digest(algorithm) } catch { throw unchecked(error) }
        digest.update(prefix.utf8)
        try file.read { digest.update($0) }
        do throws(DigestError) { return try digest.finish() } catch { throw unchecked(error) }
    }
}
