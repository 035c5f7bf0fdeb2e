/// A place in a source that moves on as bytes are taken, through a small buffer.
struct ByteCursor {
    let source: any ByteSource

    /// The place of the next byte.
    private(set) var position: Int

    /// No byte from here on is taken.
    let end: Int

    private var buffer: [UInt8] = []
    private var bufferStart = 0

    /// Creates a cursor over a part of a source, cut to what the source has.
    init(_ source: any ByteSource, _ range: Range<Int>) {
        self.source = source
        position = min(max(range.lowerBound, 0), source.count)
        end = min(max(range.upperBound, position), source.count)
    }

    mutating func byte() throws(CheckpointError) -> UInt8 {
        if position >= bufferStart + buffer.count { try refill(1) }
        let byte = buffer[position - bufferStart]
        position += 1
        return byte
    }

    mutating func take(_ count: Int) throws(CheckpointError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= end - position else { throw tooShort }
        if position < bufferStart || position + count > bufferStart + buffer.count {
            try refill(count)
        }
        let first = position - bufferStart
        position += count
        return buffer[first..<first + count]
    }

    /// A little-endian number without sign.
    mutating func integer(bytes count: Int) throws(CheckpointError) -> UInt64 {
        try take(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The bytes up to the next line's end, without it.
    mutating func line(limit: Int) throws(CheckpointError) -> [UInt8] {
        var line: [UInt8] = []
        while true {
            let byte = try byte()
            if byte == UInt8(ascii: "\n") { return line }
            guard line.count < limit else {
                throw CheckpointError.malformed(
                    file: source.path,
                    reason: "its pickle has a name of more than \(limit) bytes"
                )
            }
            line.append(byte)
        }
    }

    private mutating func refill(_ needed: Int) throws(CheckpointError) {
        guard needed <= end - position else { throw tooShort }
        let count = min(max(needed, 1 << 16), end - position)
        buffer = try source.bytes(position..<position + count)
        bufferStart = position
    }

    private var tooShort: CheckpointError {
        .malformed(file: source.path, reason: "its pickle ends too early; it is cut short")
    }
}
