import CImageCodecs

extension Image {
    /// Returns a part of the image.
    ///
    /// - Parameter region: The part, which is within the image.
    /// - Returns: The part.
    /// - Throws: ``ImageError/invalid(_:)`` when it does not.
    public func cropped(to region: Region) throws(ImageError) -> Image {
        guard region.fits(height: height, width: width) else {
            throw .invalid(
                "the part of \(ImageSize(height: region.height, width: region.width)) from row \(region.top) and "
                    + "column \(region.left) is outside the image of \(ImageSize(height: height, width: width))"
            )
        }
        guard region.height != height || region.width != width else { return self }
        return Image.filled(height: region.height, width: region.width, channels: channels) {
            buffer in
            pixels.withUnsafeBufferPointer { source in
                copyRows(
                    from: source,
                    at: (region.top * width + region.left) * channels,
                    stride: width * channels,
                    to: buffer,
                    at: 0,
                    stride: region.width * channels,
                    rows: region.height,
                    rowBytes: region.width * channels
                )
            }
        }
    }

    /// Returns the image with a border of one value.
    ///
    /// - Parameters:
    ///   - top: Rows above, at least 0; the others likewise.
    ///   - left: Columns to the left.
    ///   - bottom: Rows below.
    ///   - right: Columns to the right.
    ///   - fill: The value of all samples of the border.
    /// - Returns: The larger image.
    /// - Throws: ``ImageError/invalid(_:)`` when a border is negative or the result too large.
    public func padded(
        top: Int,
        left: Int,
        bottom: Int,
        right: Int,
        fill: UInt8 = 0
    ) throws(ImageError) -> Image {
        try padded(top: top, left: left, bottom: bottom, right: right, fill: [fill])
    }

    /// Returns the image with a border of one colour: one value, or one for each channel.
    private func padded(
        top: Int,
        left: Int,
        bottom: Int,
        right: Int,
        fill: [UInt8]
    ) throws(ImageError) -> Image {
        let most = Int(Int32.max)
        guard [top, left, bottom, right].allSatisfy({ (0...most).contains($0) }), height <= most,
            width <= most
        else {
            throw .invalid(
                "a border of \(top), \(left), \(bottom), \(right) pixels is not possible"
            )
        }
        let newHeight = top + height + bottom
        let newWidth = left + width + right
        _ = try Image.byteCount(height: newHeight, width: newWidth, channels: channels)
        return Image.filled(height: newHeight, width: newWidth, channels: channels) { buffer in
            if fill.count == channels, channels > 1 {
                for i in buffer.indices { buffer[i] = fill[i % channels] }
            } else {
                buffer.update(repeating: fill.first ?? 0)
            }
            pixels.withUnsafeBufferPointer { source in
                copyRows(
                    from: source,
                    at: 0,
                    stride: width * channels,
                    to: buffer,
                    at: (top * newWidth + left) * channels,
                    stride: newWidth * channels,
                    rows: height,
                    rowBytes: width * channels
                )
            }
        }
    }

    /// Returns the image with a border that mirrors it at its outermost pixels, which are not repeated.
    ///
    /// - Parameter border: The border's breadth on all sides in pixels, 0 or more, less than both sides.
    /// - Returns: The larger image.
    /// - Throws: ``ImageError/invalid(_:)`` when the border is negative or as broad as the image.
    public func reflected(by border: Int) throws(ImageError) -> Image {
        guard border >= 0, border < height, border < width else {
            throw .invalid(
                "an image of \(ImageSize(height: height, width: width)) cannot be reflected into a border of \(border) pixels"
            )
        }
        guard border > 0 else { return self }
        let whole = try padded(top: border, left: border, bottom: border, right: border)
        return whole.withMirroredBorder(border)
    }

    /// Fills the border of a padded image: the columns of the rows within, then whole rows.
    private func withMirroredBorder(_ border: Int) -> Image {
        var image = self
        let rowBytes = width * channels
        image.pixels.withUnsafeMutableBufferPointer { pixels in
            for y in border..<(height - border) {
                for step in 1...border {
                    for (outer, inner) in [
                        (border - step, border + step),
                        (width - 1 - border + step, width - 1 - border - step),
                    ] {
                        for c in 0..<channels {
                            pixels[y * rowBytes + outer * channels + c] =
                                pixels[y * rowBytes + inner * channels + c]
                        }
                    }
                }
            }
            for step in 1...border {
                for (outer, inner) in [
                    (border - step, border + step),
                    (height - 1 - border + step, height - 1 - border - step),
                ] {
                    for i in 0..<rowBytes {
                        pixels[outer * rowBytes + i] = pixels[inner * rowBytes + i]
                    }
                }
            }
        }
        return image
    }

    /// Returns the middle of the image, with a border, usually black, where the image is smaller.
    ///
    /// - Parameters:
    ///   - cropHeight: The rows wanted, at least 1.
    ///   - cropWidth: The columns wanted, at least 1.
    ///   - centering: Where the middle begins when an odd number of pixels is left over.
    ///   - fill: The border's colour: one value, or one for each channel.
    /// - Returns: An image of exactly the size wanted.
    /// - Throws: ``ImageError/invalid(_:)`` when a size is not positive.
    public func centerCropped(
        height cropHeight: Int,
        width cropWidth: Int,
        centering: CropCentering = .rounded,
        fill: [UInt8] = [0]
    ) throws(ImageError) -> Image {
        _ = try Image.byteCount(height: cropHeight, width: cropWidth, channels: channels)
        let missingRows = max(0, cropHeight - height)
        let missingColumns = max(0, cropWidth - width)
        var whole = self
        if missingRows > 0 || missingColumns > 0 {
            whole = try padded(
                top: missingRows / 2,
                left: missingColumns / 2,
                bottom: (missingRows + 1) / 2,
                right: (missingColumns + 1) / 2,
                fill: fill
            )
        }
        return try whole.cropped(
            to: Region(
                top: centering.offset(of: cropHeight, in: whole.height),
                left: centering.offset(of: cropWidth, in: whole.width),
                height: cropHeight,
                width: cropWidth
            )
        )
    }

    /// Returns the image mirrored left to right.
    public func flippedHorizontally() -> Image {
        Image.filled(height: height, width: width, channels: channels) { buffer in
            pixels.withUnsafeBufferPointer { source in
                ic_mirror(source.baseAddress, buffer.baseAddress, height, width, channels)
            }
        }
    }
}

/// Copies rows of bytes between two buffers whose rows are `stride` bytes apart.
func copyRows(
    from source: UnsafeBufferPointer<UInt8>,
    at sourceStart: Int,
    stride sourceStride: Int,
    to target: UnsafeMutableBufferPointer<UInt8>,
    at targetStart: Int,
    stride targetStride: Int,
    rows: Int,
    rowBytes: Int
) {
    for y in 0..<rows {
        let from = sourceStart + y * sourceStride
        let to = targetStart + y * targetStride
        let row = UnsafeBufferPointer(rebasing: source[from..<(from + rowBytes)])
        _ = UnsafeMutableBufferPointer(rebasing: target[to..<(to + rowBytes)]).update(
            fromContentsOf: row
        )
    }
}
