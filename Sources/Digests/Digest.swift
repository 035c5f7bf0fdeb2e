#if canImport(CryptoKit)
import CryptoKit
#else
import CLibcrypto
#endif

/// A SHA-256 or SHA-1 of bytes that come piece by piece, from the system's library.
///
/// ```swift
/// var digest = try Digest(.sha256)
/// digest.update("abc".utf8)
/// let text = try digest.finish()
/// ```
///
/// SHA-1 is there because git and the hub name files by it; it distinguishes files and protects from nobody.
///
/// ## Source
/// FIPS 180-4, as OpenSSL's libcrypto has it, on Apple's systems CryptoKit.
public struct Digest: ~Copyable {
    /// How the digest is computed.
    public enum Algorithm: String, Sendable {
        /// 64 hexadecimal digits.
        case sha256
        /// 40 hexadecimal digits.
        case sha1
    }

    #if canImport(CryptoKit)
    private var function: any HashFunction

    /// Starts with no bytes.
    ///
    /// - Parameter algorithm: How the digest is computed.
    /// - Throws: ``DigestError`` where the system's library does not compute such digests.
    public init(_ algorithm: Algorithm) throws(DigestError) {
        switch algorithm {
        case .sha256: function = SHA256()
        case .sha1: function = Insecure.SHA1()
        }
    }

    /// Appends bytes.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        function.update(bufferPointer: bytes)
    }

    /// The digest of all bytes so far, in lower-case hexadecimal digits.
    ///
    /// - Throws: ``DigestError`` when the system's library failed at one of the steps.
    public consuming func finish() throws(DigestError) -> String {
        Self.hexadecimal(Array(function.finalize()))
    }
    #else
    private let algorithm: Algorithm
    private let context: OpaquePointer
    private var hasFailed = false

    /// Starts with no bytes.
    ///
    /// - Parameter algorithm: How the digest is computed.
    /// - Throws: ``DigestError`` where the system's library does not compute such digests.
    public init(_ algorithm: Algorithm) throws(DigestError) {
        let method = algorithm == .sha256 ? EVP_sha256() : EVP_sha1()
        guard let context = EVP_MD_CTX_new() else { throw DigestError(algorithm: algorithm) }
        guard EVP_DigestInit_ex(context, method, nil) == 1 else {
            EVP_MD_CTX_free(context)
            throw DigestError(algorithm: algorithm)
        }
        self.algorithm = algorithm
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Appends bytes.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        if EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) != 1 { hasFailed = true }
    }

    /// The digest of all bytes so far, in lower-case hexadecimal digits.
    ///
    /// - Throws: ``DigestError`` when the system's library failed at one of the steps.
    public consuming func finish() throws(DigestError) -> String {
        var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard !hasFailed, EVP_DigestFinal_ex(context, &bytes, &count) == 1 else {
            throw DigestError(algorithm: algorithm)
        }
        return Self.hexadecimal(bytes.prefix(Int(count)))
    }
    #endif

    /// Appends bytes, such as the `utf8` of a text.
    public mutating func update(_ bytes: some Sequence<UInt8>) {
        Array(bytes).withUnsafeBytes { update($0) }
    }

    private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

/// The system's library does not compute a kind of digest.
public struct DigestError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind.
    public let algorithm: Digest.Algorithm

    /// One sentence.
    public var description: String {
        "this system's cryptographic library computes no \(algorithm.rawValue): "
            + "look into the configuration of OpenSSL"
    }
}
