extension Image {
    /// Returns the image in another size, equal to Pillow's `Image.resize` byte for byte.
    ///
    /// - Parameters:
    ///   - newHeight: The new number of rows, at least 1.
    ///   - newWidth: The new number of columns, at least 1.
    ///   - interpolation: How samples are weighed; filters widen when the image shrinks (antialiasing).
    ///   - region: The part of this image to start from, as if cropped first; `nil` for all of it.
    ///   - window: The part of the new image that is wanted, as if cropped after; `nil` for all of it.
    /// - Returns: The new image, or its part `window`.
    /// - Throws: ``ImageError/invalid(_:)`` when a size is not positive or a rectangle does not fit.
    public func resized(
        height newHeight: Int,
        width newWidth: Int,
        interpolation: Interpolation,
        region: Region? = nil,
        window: Region? = nil
    ) throws(ImageError) -> Image {
        let plan = try ResizePlan(
            from: PixelSize(height: height, width: width, channels: channels),
            height: newHeight,
            width: newWidth,
            region: region,
            window: window
        )
        return try resized(by: plan, interpolation: interpolation)
    }

    /// Returns the image in another size.
    func resized(by plan: ResizePlan, interpolation: Interpolation) throws(ImageError) -> Image {
        if plan.isCrop {
            let (region, window) = (plan.region, plan.window)
            let part = Region(
                top: region.top + window.top,
                left: region.left + window.left,
                height: window.height,
                width: window.width
            )
            return try cropped(to: part)
        }
        guard hasUsualChannels || interpolation == .nearest else {
            var image = self
            try image.changeChannels { part, _ throws(ImageError) in
                part = try part.resized(by: plan, interpolation: interpolation)
            }
            return image
        }
        return interpolation == .nearest
            ? picked(by: plan) : try Resampler(plan, interpolation: interpolation).image(from: self)
    }

    /// Refuses a resize that would need more pixels than a file may have: a narrow image made wide.
    package static func checkRoom(from size: ImageSize, rows: Int, columns: Int) throws(ImageError)
    {
        let limit = DecodingOptions.defaultPixelLimit
        let (area, overflow) = rows.multipliedReportingOverflow(by: columns)
        guard !overflow, area <= limit else {
            throw .resizedTooLarge(
                from: size,
                to: ImageSize(height: rows, width: columns),
                limit: limit
            )
        }
    }
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
}
