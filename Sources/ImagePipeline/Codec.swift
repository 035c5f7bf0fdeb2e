import CImageCodecs

/// One file in the hands of its library; the bytes must outlive it.
struct Codec {
    let format: ImageFormat
    let info: ic_info
    private let bytes: UnsafeRawBufferPointer
    private let reader: JPEGReader?

    /// Reads the header and refuses what is not an image or asks for too many pixels.
    init(_ bytes: UnsafeRawBufferPointer, pixelLimit: Int) throws(ImageError) {
        guard !bytes.isEmpty else { throw .empty }
        guard let format = ImageFormat(bytes: bytes) else {
            if let name = ImageFormat.foreignName(of: bytes) { throw .foreignFormat(name) }
            throw .notAnImage
        }
        self.format = format
        self.bytes = bytes
        if format == .jpeg {
            let reader = try JPEGReader(bytes)
            self.reader = reader
            info = reader.info
        } else {
            reader = nil
            info = try Codec.readInfo(format, bytes)
        }
        let width = Int(info.width)
        let height = Int(info.height)
        let (area, overflow) = width.multipliedReportingOverflow(by: height)
        guard width > 0, height > 0, !overflow, area <= pixelLimit else {
            throw .tooLarge(width: width, height: height, limit: pixelLimit)
        }
    }

    private static func readInfo(
        _ format: ImageFormat,
        _ bytes: UnsafeRawBufferPointer
    ) throws(ImageError) -> ic_info {
        var info = ic_info(width: 0, height: 0, channels: 0)
        let data = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        try checkStatus(of: format) { message in
            format == .png
                ? ic_png_info(data, bytes.count, &info, message)
                : ic_webp_info(data, bytes.count, &info, message)
        }
        return info
    }

    /// Decodes the whole image, grey or RGB.
    func decode() throws(ImageError) -> Image {
        let height = Int(info.height)
        let width = Int(info.width)
        guard info.channels == 4 else {
            return try Image.filled(height: height, width: width, channels: Int(info.channels)) {
                buffer throws(ImageError) in
                try decode(into: buffer)
            }
        }
        let inks = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: height * width * 4)
        defer { inks.deallocate() }
        try decode(into: inks)
        return Image.filled(height: height, width: width, channels: 3) { buffer in
            convertInvertedCMYK(UnsafeBufferPointer(inks), toRGB: buffer)
        }
    }

    private func decode(into buffer: UnsafeMutableBufferPointer<UInt8>) throws(ImageError) {
        if let reader {
            let (columns, _) = try reader.start(left: 0, top: 0, columns: Int(info.width))
            let stride = columns * Int(info.channels)
            try reader.read(rows: Int(info.height), into: buffer.baseAddress, stride: stride)
            return try reader.finish()
        }
        let data = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        try checkStatus(of: format) { message in
            format == .png
                ? ic_png_decode(data, bytes.count, info, buffer.baseAddress, message)
                : ic_webp_decode(data, bytes.count, info, buffer.baseAddress, message)
        }
    }
}
