/// A place in a source that moves on as bytes are taken, through a small buffer.
package struct ByteCursor {
    package let source: any ByteSource

    /// The place of the next byte.
    package private(set) var position: Int

    /// No byte from here on is taken.
    package let end: Int

    private var buffer: [UInt8] = []
    private var bufferStart = 0

    /// Creates a cursor over a part of a source, cut to what the source has.
    package init(_ source: any ByteSource, _ range: Range<Int>) {
        self.source = source
        position = min(max(range.lowerBound, 0), source.count)
        end = min(max(range.upperBound, position), source.count)
    }

    package mutating func byte() throws(StorageError) -> UInt8 {
        if position >= bufferStart + buffer.count { try refill(1) }
        let byte = buffer[position - bufferStart]
        position += 1
        return byte
    }

    package mutating func take(_ count: Int) throws(StorageError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= end - position else { throw tooShort }
        if position < bufferStart || position + count > bufferStart + buffer.count {
            try refill(count)
        }
        let first = position - bufferStart
        position += count
        return buffer[first..<first + count]
    }

    /// A little-endian number without sign.
    package mutating func integer(bytes count: Int) throws(StorageError) -> UInt64 {
        try take(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The bytes up to the next line's end, without it.
    package mutating func line(limit: Int) throws(StorageError) -> [UInt8] {
        var line: [UInt8] = []
        while true {
            let byte = try byte()
            if byte == UInt8(ascii: "\n") { return line }
            guard line.count < limit else {
                throw StorageError.malformed(
                    file: source.path,
                    reason: "its pickle has a name of more than \(limit) bytes"
                )
            }
            line.append(byte)
        }
    }

    private mutating func refill(_ needed: Int) throws(StorageError) {
        guard needed <= end - position else { throw tooShort }
        let count = min(max(needed, 1 << 16), end - position)
        buffer = try source.bytes(position..<position + count)
        bufferStart = position
    }

    private var tooShort: StorageError {
        .malformed(file: source.path, reason: "its pickle ends too early; it is cut short")
    }
}
