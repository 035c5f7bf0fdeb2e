import CImageCodecs

/// A JPEG that is read from top to bottom; the bytes must outlive it.
final class JPEGReader {
    let info: ic_info
    private let reader: OpaquePointer

    /// Reads the header.
    init(_ bytes: UnsafeRawBufferPointer) throws(ImageError) {
        var reader: OpaquePointer?
        var info = ic_info(width: 0, height: 0, channels: 0)
        let data = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        do throws(ImageError) {
            try checkStatus(of: .jpeg) { message in
                ic_jpeg_open(data, bytes.count, &reader, &info, message)
            }
        } catch {
            ic_jpeg_close(reader)
            throw error
        }
        guard let reader else { throw .corrupt(format: .jpeg, detail: "it contains no image") }
        self.reader = reader
        self.info = info
    }

    deinit { ic_jpeg_close(reader) }

    /// Whether the file has an end, which is a reason to believe that nothing is missing.
    var isComplete: Bool { ic_jpeg_is_complete(reader) != 0 }

    /// Gets ready to read rows from `top` on, of which `columns` pixels from `left` on are wanted.
    ///
    /// - Returns: How many pixels a row has when it is read, and where the wanted ones begin.
    func start(
        left: Int,
        top: Int,
        columns: Int
    ) throws(ImageError) -> (rowColumns: Int, offset: Int) {
        var offset: Int32 = 0
        var rowColumns: Int32 = 0
        try checkStatus(of: .jpeg) { message in
            ic_jpeg_start(
                reader,
                Int32(clamping: left),
                Int32(clamping: top),
                Int32(clamping: columns),
                &offset,
                &rowColumns,
                message
            )
        }
        return (Int(rowColumns), Int(offset))
    }

    /// Reads rows into a buffer that is large enough.
    func read(
        rows: Int,
        into pixels: UnsafeMutablePointer<UInt8>?,
        stride: Int
    ) throws(ImageError) {
        try checkStatus(of: .jpeg) { message in
            ic_jpeg_read(reader, pixels, stride, Int32(clamping: rows), message)
        }
    }

    /// Makes sure, after the last row, that the data did not end too early.
    func finish() throws(ImageError) {
        try checkStatus(of: .jpeg) { message in ic_jpeg_finish(reader, message) }
    }
}

/// Turns the answer of a codec into an error.
func checkStatus(
    of format: ImageFormat,
    _ body: (UnsafeMutablePointer<CChar>) -> ic_status
) throws(ImageError) {
    let (status, detail) = withUnsafeTemporaryAllocation(
        of: CChar.self,
        capacity: Int(IC_MESSAGE_SIZE)
    ) { buffer -> (ic_status, String) in
        guard let message = buffer.baseAddress else { return (Int32(IC_NO_MEMORY), "") }
        message.initialize(repeating: 0, count: buffer.count)
        let status = body(message)
        return (status, status == Int32(IC_OK) ? "" : String(cString: message))
    }
    switch Int(status) {
    case Int(IC_OK): return
    case Int(IC_TRUNCATED): throw .truncated(format: format, detail: detail)
    case Int(IC_UNSUPPORTED): throw .unsupported(format: format, detail: detail)
    default: throw .corrupt(format: format, detail: detail)
    }
}
