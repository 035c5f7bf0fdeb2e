extension Image {
    /// Returns the image with one grey or three RGB channels.
    ///
    /// Grey from RGB is ITU-R 601-2 luma in Pillow's integers, `(19595 R + 38470 G + 7471 B + 32768) >> 16`;
    /// RGB from grey repeats the sample.
    ///
    /// - Parameter wanted: 1 or 3, or the image's own number.
    /// - Returns: The image, unchanged where it has the channels already.
    /// - Throws: ``ImageError/invalid(_:)`` for another count.
    public func converted(toChannels wanted: Int) throws(ImageError) -> Image {
        guard wanted != channels else { return self }
        guard hasUsualChannels, wanted == 1 || wanted == 3 else {
            throw .invalid(
                "an image of \(channels) channels cannot be converted to \(wanted); only greyscale and RGB are converted"
            )
        }
        let count = height * width
        return Image.filled(height: height, width: width, channels: wanted) { buffer in
            pixels.withUnsafeBufferPointer { source in
                if wanted == 1 {
                    guard let from = source.baseAddress, let to = buffer.baseAddress else { return }
                    writeLuma(of: from, to: to, count: count)
                } else {
                    for i in 0..<count {
                        buffer[3 * i] = source[i]
                        buffer[3 * i + 1] = source[i]
                        buffer[3 * i + 2] = source[i]
                    }
                }
            }
        }
    }
}

/// Writes the grey of `count` pixels of RGB, also to where the first of them are.
func writeLuma(
    of pixels: UnsafePointer<UInt8>,
    to grey: UnsafeMutablePointer<UInt8>,
    count: Int
) {
    for i in 0..<count {
        let luma =
            UInt32(pixels[3 * i]) * 19595 + UInt32(pixels[3 * i + 1]) * 38470
            + UInt32(pixels[3 * i + 2]) * 7471 + 0x8000
        grey[i] = UInt8(truncatingIfNeeded: luma >> 16)
    }
}

/// Converts CMYK whose inks are stored inverted (255 is no ink) with the arithmetic of Pillow's `cmyk2rgb`.
func convertInvertedCMYK(
    _ inks: UnsafeBufferPointer<UInt8>,
    toRGB pixels: UnsafeMutableBufferPointer<UInt8>
) {
    for i in 0..<(pixels.count / 3) {
        // Stored inverted, so the key sample already is 255 minus the ink.
        let light = Int32(inks[4 * i + 3])
        for channel in 0..<3 {
            let product = (255 - Int32(inks[4 * i + channel])) * light + 128
            let rounded = ((product >> 8) + product) >> 8  // product / 255, rounded
            pixels[3 * i + channel] = UInt8(truncatingIfNeeded: max(0, light - rounded))
        }
    }
}
