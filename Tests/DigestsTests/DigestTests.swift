import Digests
import Testing

/// Digests of the standard's own examples.
struct DigestTests {
    private static let million = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)

    /// FIPS 180-4's examples, in NIST's "Secure Hash Standard: Test Vectors", and the digest of nothing.
    @Test(arguments: [
        (
            Digest.Algorithm.sha256, [UInt8](),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        ),
        (
            .sha256, Array("abc".utf8),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        ),
        (.sha256, million, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        (.sha1, [], "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        (.sha1, Array("abc".utf8), "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (.sha1, million, "34aa973cd4c4daa4f61eeb2bdbad27316534016f"),
    ])
    func examples(_ algorithm: Digest.Algorithm, _ bytes: [UInt8], _ expected: String) throws {
        var whole = try Digest(algorithm)
        whole.update(bytes)
        #expect(try whole.finish() == expected)
        var pieces = try Digest(algorithm)
        for start in stride(from: 0, to: bytes.count, by: 70_001) {
            bytes[start..<min(start + 70_001, bytes.count)].withUnsafeBytes { pieces.update($0) }
        }
        #expect(try pieces.finish() == expected)
    }
}
