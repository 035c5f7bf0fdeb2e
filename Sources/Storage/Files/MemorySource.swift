/// Bytes in memory that are read like a file.
public struct MemorySource: ByteSource {
    /// The name for errors.
    public let path: String
    /// The bytes.
    public let bytes: [UInt8]

    /// The number of bytes.
    public var count: Int { bytes.count }

    /// Takes bytes.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - path: The name for errors.
    public init(_ bytes: [UInt8], path: String) {
        self.bytes = bytes
        self.path = path
    }

    /// Copies bytes; see ``ByteSource/copy(from:into:)``.
    public func copy(
        from start: Int,
        into destination: UnsafeMutableRawBufferPointer
    ) throws(StorageError) {
        guard start >= 0, start <= count, destination.count <= count - start else {
            throw StorageError.malformed(file: path, reason: "it is cut short")
        }
        bytes.withUnsafeBytes { destination.copyBytes(from: $0[start..<start + destination.count]) }
    }
}
