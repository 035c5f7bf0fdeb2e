internal import CZlib
import Storage

extension PyTorchFile {
    /// The parts of the file whose bytes do not have the checksum that the archive keeps of them.
    ///
    /// Reading does not compare checksums, which would take longer than the reading, and nor does PyTorch. A file
    /// of the older kind has none. PyTorch can be told to write none; then no part has the right one.
    ///
    /// - Returns: The names of the damaged parts, and the number of all parts.
    /// - Throws: ``CheckpointError`` when the file cannot be read.
    public func damagedParts() throws(CheckpointError) -> (names: [String], parts: Int) {
        let source = try CheckpointError.of(try MappedFile(path: path))
        guard
            WeightsKind(
                source: source,
                head: try CheckpointError.of(try WeightsKind.head(of: source))
            ) == .zip
        else {
            return ([], 0)
        }
        let directory = try CheckpointError.of(try ZipDirectory(source))
        var names: [String] = []
        for entry in directory.entries {
            let range = try CheckpointError.of(try directory.range(of: entry))
            if try Self.checksum(of: range, in: source) != entry.crc { names.append(entry.name) }
        }
        return (names, directory.entries.count)
    }

    private static func checksum(
        of range: Range<Int>,
        in source: MappedFile
    ) throws(CheckpointError) -> UInt32 {
        var crc = CZlib.crc32(0, nil, 0)
        var start = range.lowerBound
        while start < range.upperBound {
            let end = min(range.upperBound, start + (4 << 20))
            let piece = try CheckpointError.of(try source.bytes(start..<end))
            crc = CZlib.crc32(crc, piece, uInt(piece.count))
            start = end
        }
        return UInt32(truncatingIfNeeded: crc)
    }
}
