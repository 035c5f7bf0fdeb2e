/// Rows of a JPEG on their way into a resize, a few at a time.
struct RowStream {
    /// The rows that are decoded at once; they fit the processor's cache.
    static let blockRows = 16
    /// The resize's widest reads go beyond a row by less than this.
    static let slack = 64

    let reader: JPEGReader
    /// The channels in the file, 1 or 3.
    let channels: Int
    /// Whether colours become grey on the way.
    let convertsToGrey: Bool

    /// The channels that come out.
    var outputChannels: Int { convertsToGrey ? 1 : channels }

    /// Room for a block of rows of an image.
    func blockBytes(imageWidth: Int) -> Int {
        imageWidth * channels * RowStream.blockRows + RowStream.slack
    }

    /// Decodes the rows of a rectangle into the memory `block`, some at a time, and hands them out with the number of
    /// the first, counted from the first wanted.
    func forEachBlock(
        rows: Range<Int>,
        columns: Range<Int>,
        block: UnsafeMutablePointer<UInt8>,
        _ body: (Rows, _ first: Int) -> Void
    ) throws(ImageError) {
        let (rowColumns, offset) = try reader.start(
            left: columns.lowerBound,
            top: rows.lowerBound,
            columns: columns.count
        )
        let stride = rowColumns * channels
        for first in Swift.stride(from: 0, to: rows.count, by: RowStream.blockRows) {
            let count = min(RowStream.blockRows, rows.count - first)
            try reader.read(rows: count, into: block, stride: stride)
            if convertsToGrey { writeLuma(of: block, to: block, count: count * rowColumns) }
            let width = rowColumns * outputChannels
            let skipped = offset * outputChannels
            let found = Rows(
                start: UnsafePointer(block) + skipped,
                stride: width,
                count: count,
                readable: count * width - skipped + RowStream.slack
            )
            body(found, first)
        }
    }
}

/// Some rows of an image in memory.
struct Rows {
    /// The first sample wanted.
    let start: UnsafePointer<UInt8>
    /// The bytes from row to row.
    let stride: Int
    /// The number of rows.
    let count: Int
    /// The bytes that may be read from the start on.
    let readable: Int
}
