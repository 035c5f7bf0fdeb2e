/// Bytes of known number that are read piece by piece: a file, or an array in memory.
public protocol ByteSource: Sendable {
    /// The name of the file for errors.
    var path: String { get }

    /// The number of bytes.
    var count: Int { get }

    /// Copies bytes.
    ///
    /// - Parameters:
    ///   - start: The place of the first; `start + destination.count` is at most `count`.
    ///   - destination: Where they go.
    /// - Throws: ``StorageError/unreadable(path:reason:)`` when they are no longer there.
    func copy(
        from start: Int,
        into destination: UnsafeMutableRawBufferPointer
    )
        throws(StorageError)
}

extension ByteSource {
    /// A copy of some bytes, fewer than requested where the source ends.
    ///
    /// - Parameters:
    ///   - offset: The offset of the first, in bytes.
    ///   - wanted: The number of bytes at most.
    /// - Returns: The bytes; empty at the end and beyond it.
    /// - Throws: ``StorageError/unreadable(path:reason:)`` when they are no longer there.
    package func read(at offset: Int, count wanted: Int) throws(StorageError) -> [UInt8] {
        guard offset >= 0, wanted > 0, offset < count else { return [] }
        return try bytes(offset..<offset + min(wanted, count - offset))
    }

    /// A copy of some bytes.
    ///
    /// - Throws: ``StorageError/malformed(file:reason:)`` when the range does not lie inside.
    package func bytes(_ range: Range<Int>) throws(StorageError) -> [UInt8] {
        guard range.lowerBound >= 0, range.upperBound <= count else {
            throw StorageError.malformed(
                file: path,
                reason: "it ends at byte \(count), before byte \(range.upperBound); it is cut short"
            )
        }
        var failure: StorageError?
        let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, initialized in
            do throws(StorageError) {
                try copy(
                    from: range.lowerBound,
                    into: UnsafeMutableRawBufferPointer(
                        start: buffer.baseAddress,
                        count: range.count
                    )
                )
                initialized = range.count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
