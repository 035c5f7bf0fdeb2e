import CImageCodecs

/// A resize by weighing samples: rows are shortened as they come, then columns.
///
/// A direction that keeps its size is skipped, and only the input that the requested part of the result needs is read.
struct Resampler {
    /// The image's rows that are needed.
    let rows: Range<Int>
    /// The image's columns that are needed.
    let columns: Range<Int>

    private let window: Region
    private let horizontal: ResampleWeights?
    private let vertical: ResampleWeights?

    /// Computes the weights.
    init(_ plan: ResizePlan, interpolation: Interpolation) throws(ImageError) {
        let region = plan.region
        window = plan.window
        let (down, across) = (
            window.top..<(window.top + window.height), window.left..<(window.left + window.width)
        )
        vertical =
            region.height == plan.newHeight
            ? nil
            : ResampleWeights(
                from: region.height,
                to: plan.newHeight,
                window: down,
                interpolation: interpolation
            )
        horizontal =
            region.width == plan.newWidth
            ? nil
            : ResampleWeights(
                from: region.width,
                to: plan.newWidth,
                window: across,
                interpolation: interpolation
            )
        let neededRows = vertical?.span ?? down
        let neededColumns = horizontal?.span ?? across
        rows = (region.top + neededRows.lowerBound)..<(region.top + neededRows.upperBound)
        columns =
            (region.left + neededColumns.lowerBound)..<(region.left + neededColumns.upperBound)
        try Image.checkRoom(
            from: ImageSize(height: region.height, width: region.width),
            rows: rows.count,
            columns: window.width
        )
    }

    /// Resizes an image in memory.
    func image(from image: Image) -> Image {
        let channels = image.channels
        let stretched = Image.filled(height: rows.count, width: window.width, channels: channels) {
            buffer in
            image.pixels.withUnsafeBufferPointer { source in
                let first = (rows.lowerBound * image.width + columns.lowerBound) * channels
                guard let start = source.baseAddress, let target = buffer.baseAddress else {
                    return
                }
                let whole = Rows(
                    start: start + first,
                    stride: image.width * channels,
                    count: rows.count,
                    readable: source.count - first
                )
                stretch(whole, channels: channels, into: target)
            }
        }
        guard vertical != nil else { return stretched }
        return stretched.pixels.withUnsafeBufferPointer { source in
            finished(source.baseAddress, channels: channels)
        }
    }

    /// Resizes an image that is being decoded.
    func image(from stream: RowStream, scratch: ImageScratch) throws(ImageError) -> Image {
        let channels = stream.outputChannels
        let rowBytes = window.width * channels
        let block = stream.blockBytes(imageWidth: Int(stream.reader.info.width))
        return try scratch.withBuffers(block, rows.count * rowBytes + RowStream.slack) {
            block,
            stretched throws(ImageError) in
            try stream.forEachBlock(rows: rows, columns: columns, block: block) { found, first in
                stretch(found, channels: channels, into: stretched + first * rowBytes)
            }
            return finished(stretched, channels: channels)
        }
    }

    /// Shortens rows, the first sample of which is that of the first column needed.
    private func stretch(
        _ source: Rows,
        channels: Int,
        into target: UnsafeMutablePointer<UInt8>
    ) {
        guard let horizontal else {
            let rowBytes = window.width * channels
            for y in 0..<source.count {
                (target + y * rowBytes).update(
                    from: source.start + y * source.stride,
                    count: rowBytes
                )
            }
            return
        }
        horizontal.withKernel { weights in
            ic_convolve_rows(
                source.start,
                source.stride,
                source.count,
                source.readable,
                Int32(channels),
                weights,
                target
            )
        }
    }

    /// Shortens columns.
    private func finished(_ stretched: UnsafePointer<UInt8>?, channels: Int) -> Image {
        let rowBytes = window.width * channels
        return Image.filled(height: window.height, width: window.width, channels: channels) {
            output in
            guard let stretched, let target = output.baseAddress else { return }
            guard let vertical else {
                target.update(from: stretched, count: output.count)
                return
            }
            vertical.withKernel { weights in
                ic_convolve_columns(stretched, rowBytes, weights, target)
            }
        }
    }
}
