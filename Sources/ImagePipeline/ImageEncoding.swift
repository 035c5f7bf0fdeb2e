import CImageCodecs

extension Image {
    /// Returns the image as a PNG file.
    ///
    /// - Returns: The whole file.
    /// - Throws: ``ImageError/invalid(_:)`` for an image that is neither grey nor RGB, or longer than a million pixels.
    public func encodedPNG() throws(ImageError) -> [UInt8] {
        let info = ic_info(
            width: Int32(clamping: width),
            height: Int32(clamping: height),
            channels: Int32(clamping: channels)
        )
        guard hasUsualChannels else {
            throw .invalid("an image of \(channels) channels cannot be written as PNG")
        }
        guard width <= 1_000_000, height <= 1_000_000, pixels.count <= Int(Int32.max) else {
            throw .invalid(
                "an image of \(ImageSize(height: height, width: width)) is too large for a PNG file"
            )
        }
        var failure: ImageError?
        let file = [UInt8](unsafeUninitializedCapacity: ic_png_bound(info)) { buffer, count in
            do throws(ImageError) {
                try checkStatus(of: .png) { message in
                    ic_png_encode(
                        pixels,
                        info,
                        buffer.baseAddress,
                        buffer.count,
                        &count,
                        message
                    )
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return file
    }
}
