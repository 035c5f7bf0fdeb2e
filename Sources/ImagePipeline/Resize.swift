import CImageCodecs

extension Image {
    /// Returns the picture in another size, equal to Pillow's `Image.resize` byte for byte.
    ///
    /// - Parameters:
    ///   - newHeight: The new number of rows, at least 1.
    ///   - newWidth: The new number of columns, at least 1.
    ///   - interpolation: How samples are weighed; filters widen when the picture shrinks (antialiasing).
    ///   - region: The part of this picture to start from, as if cropped first; `nil` for all of it.
    ///   - window: The part of the new picture that is wanted, as if cropped after; `nil` for all of it.
    /// - Returns: The new picture, or its part `window`.
    /// - Throws: ``ImageError/invalid(_:)`` when a size is not positive or a rectangle does not fit.
    public func resized(
        height newHeight: Int,
        width newWidth: Int,
        interpolation: Interpolation,
        region: Region? = nil,
        window: Region? = nil
    ) throws(ImageError) -> Image {
        _ = try Image.byteCount(height: newHeight, width: newWidth, channels: channels)
        guard newHeight <= Int(Int32.max), newWidth <= Int(Int32.max) else {
            throw .invalid("a picture cannot be resized to \(newHeight) × \(newWidth) pixels")
        }
        let region = region ?? Region(top: 0, left: 0, height: height, width: width)
        let window = window ?? Region(top: 0, left: 0, height: newHeight, width: newWidth)
        guard region.fits(height: height, width: width) else {
            throw .invalid(
                "the part to resize lies outside the picture of \(height) × \(width) pixels"
            )
        }
        guard window.fits(height: newHeight, width: newWidth) else {
            throw .invalid(
                "the part wanted lies outside the new picture of \(newHeight) × \(newWidth) pixels"
            )
        }
        try Image.checkRoom(rows: window.height, columns: window.width)
        if region.height == newHeight, region.width == newWidth {
            let part = Region(
                top: region.top + window.top,
                left: region.left + window.left,
                height: window.height,
                width: window.width
            )
            return try cropped(to: part)
        }
        let plan = ResizePlan(
            region: region,
            newHeight: newHeight,
            newWidth: newWidth,
            window: window
        )
        return interpolation == .nearest
            ? picked(by: plan) : try resampled(by: plan, interpolation: interpolation)
    }
}

extension Image {
    /// Refuses a resize that would need more pixels than a file may have: a narrow picture made wide.
    fileprivate static func checkRoom(rows: Int, columns: Int) throws(ImageError) {
        let limit = DecodingOptions.defaultPixelLimit
        let (area, overflow) = rows.multipliedReportingOverflow(by: columns)
        guard !overflow, area <= limit else {
            throw .tooLarge(width: columns, height: rows, limit: limit)
        }
    }
}

/// The rectangles of one resize, checked.
struct ResizePlan {
    let region: Region
    let newHeight: Int
    let newWidth: Int
    let window: Region
}

extension Image {
    /// Takes the nearest samples; positions add up in doubles as in Pillow's `ImagingScaleAffine`.
    fileprivate func picked(by plan: ResizePlan) -> Image {
        func positions(_ start: Int, _ old: Int, _ new: Int, _ window: Range<Int>) -> [Int] {
            let step = Double(old) / Double(new)
            var position = step * 0.5
            var found: [Int] = []
            for i in 0..<window.upperBound {
                if i >= window.lowerBound { found.append(start + min(old - 1, Int(position))) }
                position += step
            }
            return found
        }
        let (region, window) = (plan.region, plan.window)
        let rows = positions(
            region.top,
            region.height,
            plan.newHeight,
            window.top..<(window.top + window.height)
        )
        let columns = positions(
            region.left,
            region.width,
            plan.newWidth,
            window.left..<(window.left + window.width)
        )
        return Image.filled(height: window.height, width: window.width, channels: channels) {
            output in
            pixels.withUnsafeBufferPointer { input in
                var to = 0
                for row in rows {
                    for column in columns {
                        let from = (row * width + column) * channels
                        for c in 0..<channels {
                            output[to] = input[from + c]
                            to += 1
                        }
                    }
                }
            }
        }
    }

    /// Convolves the rows that are needed, then the columns; a direction that keeps its size is skipped.
    fileprivate func resampled(
        by plan: ResizePlan,
        interpolation: Interpolation
    ) throws(ImageError) -> Image {
        let (region, window) = (plan.region, plan.window)
        let keepsRows = region.height == plan.newHeight
        let vertical = ResampleWeights(
            from: region.height,
            to: plan.newHeight,
            window: window.top..<(window.top + window.height),
            interpolation: interpolation
        )
        // The old rows that the wanted new ones draw on, counted from the region's top.
        let span = keepsRows ? window.top..<(window.top + window.height) : vertical.span
        try Image.checkRoom(rows: span.count, columns: window.width)
        let stretched = Image.filled(height: span.count, width: window.width, channels: channels) {
            buffer in
            let rows = (region.top + span.lowerBound)..<(region.top + span.upperBound)
            stretchRows(rows, plan: plan, interpolation: interpolation, into: buffer)
        }
        guard !keepsRows else { return stretched }
        return Image.filled(height: window.height, width: window.width, channels: channels) {
            output in
            stretched.pixels.withUnsafeBufferPointer { input in
                vertical.withKernel(startingAt: span.lowerBound) { weights in
                    ic_convolve_columns(
                        input.baseAddress,
                        window.width * channels,
                        weights,
                        output.baseAddress
                    )
                }
            }
        }
    }

    private func stretchRows(
        _ rows: Range<Int>,
        plan: ResizePlan,
        interpolation: Interpolation,
        into output: UnsafeMutableBufferPointer<UInt8>
    ) {
        let (region, window) = (plan.region, plan.window)
        let rowBytes = window.width * channels
        pixels.withUnsafeBufferPointer { input in
            guard region.width != plan.newWidth else {
                copyRows(
                    from: input,
                    at: (rows.lowerBound * width + region.left + window.left) * channels,
                    stride: width * channels,
                    to: output,
                    at: 0,
                    stride: rowBytes,
                    rows: rows.count,
                    rowBytes: rowBytes
                )
                return
            }
            guard let source = input.baseAddress, let target = output.baseAddress else { return }
            let horizontal = ResampleWeights(
                from: region.width,
                to: plan.newWidth,
                window: window.left..<(window.left + window.width),
                interpolation: interpolation
            )
            horizontal.withKernel { weights in
                for (i, row) in rows.enumerated() {
                    ic_convolve_row(
                        source + (row * width + region.left) * channels,
                        Int32(channels),
                        weights,
                        target + i * rowBytes
                    )
                }
            }
        }
    }
}
