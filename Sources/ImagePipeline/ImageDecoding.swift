import CImageCodecs

extension Image {
    /// Decodes a JPEG, PNG or WebP file, told apart by its content.
    ///
    /// The samples equal those of Pillow 11's `Image.open(file).convert("RGB")` (or `"L"`): alpha is dropped,
    /// palettes are expanded, CMYK is taken as Adobe stores it, no colour profile and no gamma is applied. Of 16
    /// bits the high byte is taken (Pillow clips grey at 255 instead), of an animation the first frame. See
    /// <doc:UnusualPictures>.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - options: The channels wanted and the limits.
    /// - Throws: ``ImageError`` when the bytes are no picture, are damaged or ask for too much.
    public init(
        decoding bytes: UnsafeRawBufferPointer,
        options: DecodingOptions = DecodingOptions()
    ) throws(ImageError) {
        guard !bytes.isEmpty else { throw .empty }
        guard let format = ImageFormat(bytes: bytes) else {
            if let name = ImageFormat.foreignName(of: bytes) { throw .foreignFormat(name) }
            throw .notAnImage
        }
        let codec = Codec(format: format, bytes: bytes)
        let info = try codec.readInfo()
        let width = Int(info.width)
        let height = Int(info.height)
        let (area, overflow) = width.multipliedReportingOverflow(by: height)
        guard width > 0, height > 0, !overflow, area <= options.pixelLimit else {
            throw .tooLarge(width: width, height: height, limit: options.pixelLimit)
        }
        var image = try codec.decode(info)
        if options.appliesOrientation {
            image = image.oriented(exifOrientation(of: format, bytes))
        }
        if let channels = options.channels {
            image = try image.converted(toChannels: channels)
        }
        self = image
    }

    /// Decodes a JPEG, PNG or WebP file held in an array.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - options: The channels wanted and the limits.
    /// - Throws: ``ImageError`` when the bytes are no picture, are damaged or ask for too much.
    public init(
        decoding bytes: [UInt8],
        options: DecodingOptions = DecodingOptions()
    ) throws(ImageError) {
        let result = bytes.withUnsafeBytes { raw in
            Result { () throws(ImageError) in try Image(decoding: raw, options: options) }
        }
        self = try result.get()
    }

    /// Reads and decodes a file.
    ///
    /// - Parameters:
    ///   - path: The file's path.
    ///   - options: The channels wanted and the limits.
    /// - Throws: ``ImageError`` when the file cannot be read or decoded.
    public init(
        contentsOf path: String,
        options: DecodingOptions = DecodingOptions()
    ) throws(ImageError) {
        try self.init(decoding: try readFile(at: path), options: options)
    }
}

/// One file in the hands of its library.
private struct Codec {
    let format: ImageFormat
    let bytes: UnsafeRawBufferPointer

    private var data: UnsafePointer<UInt8>? {
        bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    }

    func readInfo() throws(ImageError) -> ic_info {
        var info = ic_info(width: 0, height: 0, channels: 0)
        try check { message in
            switch format {
            case .jpeg: ic_jpeg_info(data, bytes.count, &info, message)
            case .png: ic_png_info(data, bytes.count, &info, message)
            case .webp: ic_webp_info(data, bytes.count, &info, message)
            }
        }
        return info
    }

    func decode(_ info: ic_info) throws(ImageError) -> Image {
        let height = Int(info.height)
        let width = Int(info.width)
        guard info.channels == 4 else {
            return try Image.filled(height: height, width: width, channels: Int(info.channels)) {
                buffer throws(ImageError) in
                try decode(info, into: buffer)
            }
        }
        let inks = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: height * width * 4)
        defer { inks.deallocate() }
        try decode(info, into: inks)
        return Image.filled(height: height, width: width, channels: 3) { buffer in
            convertInvertedCMYK(UnsafeBufferPointer(inks), toRGB: buffer)
        }
    }

    private func decode(
        _ info: ic_info,
        into buffer: UnsafeMutableBufferPointer<UInt8>
    ) throws(ImageError) {
        try check { message in
            switch format {
            case .jpeg: ic_jpeg_decode(data, bytes.count, info, buffer.baseAddress, message)
            case .png: ic_png_decode(data, bytes.count, info, buffer.baseAddress, message)
            case .webp: ic_webp_decode(data, bytes.count, info, buffer.baseAddress, message)
            }
        }
    }

    private func check(
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
}
