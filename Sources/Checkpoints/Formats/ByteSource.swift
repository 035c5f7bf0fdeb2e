/// Bytes of known number that are read piece by piece: a mapped file, or an array in tests.
protocol ByteSource: Sendable {
    /// The name of the file for errors.
    var path: String { get }

    /// The number of bytes.
    var count: Int { get }

    /// Copies bytes.
    ///
    /// - Parameters:
    ///   - start: The place of the first; `start + destination.count` is at most `count`.
    ///   - destination: Where they go.
    /// - Throws: ``CheckpointError/unreadable(path:reason:)`` when they are no longer there.
    func copy(
        from start: Int,
        into destination: UnsafeMutableRawBufferPointer
    )
        throws(CheckpointError)
}

extension ByteSource {
    /// A copy of some bytes.
    ///
    /// - Throws: ``CheckpointError/malformed(file:reason:)`` when the range does not lie inside.
    func bytes(_ range: Range<Int>) throws(CheckpointError) -> [UInt8] {
        guard range.lowerBound >= 0, range.upperBound <= count else {
            throw CheckpointError.malformed(
                file: path,
                reason: "it ends at byte \(count), before byte \(range.upperBound); it is cut short"
            )
        }
        var failure: CheckpointError?
        let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, initialized in
            do throws(CheckpointError) {
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
