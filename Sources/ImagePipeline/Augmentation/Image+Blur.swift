import CImageCodecs

extension Image {
    /// Blurs the image with three box filters in each direction, as Pillow's `ImageFilter.GaussianBlur`, byte for
    /// byte.
    ///
    /// - Parameter deviation: The standard deviation of the Gaussian that the boxes come close to, in pixels; at most
    ///   ``GaussianBlur/largestDeviation`` is used, and nothing happens at 0.
    public mutating func blur(deviation: Double) {
        guard deviation > 0 else { return }
        let box = BoxFilter(
            deviation: Float(min(deviation, GaussianBlur.largestDeviation)),
            passes: 3
        )
        blurRows(box)
        blurColumns(box)
    }

    private mutating func blurRows(_ box: BoxFilter) {
        let rowBytes = width * channels
        let (height, channels) = (height, channels)
        pixels.withUnsafeMutableBufferPointer { pixels in
            guard let start = pixels.baseAddress else { return }
            box.withRoom(count: rowBytes, step: channels) { line in
                for y in 0..<height {
                    let row = start + y * rowBytes
                    line.input.update(from: row, count: rowBytes)
                    row.update(from: line.blur(), count: rowBytes)
                }
            }
        }
    }

    /// Blurs a few columns at a time, which stay in the processor's cache.
    private mutating func blurColumns(_ box: BoxFilter) {
        let tile = 64
        let rowBytes = width * channels
        let height = height
        pixels.withUnsafeMutableBufferPointer { pixels in
            guard let corner = pixels.baseAddress else { return }
            for left in stride(from: 0, to: rowBytes, by: tile) {
                let columns = min(tile, rowBytes - left)
                let start = corner + left
                box.withRoom(count: height * columns, step: columns) { line in
                    for y in 0..<height {
                        (line.input + y * columns).update(
                            from: start + y * rowBytes,
                            count: columns
                        )
                    }
                    let result = line.blur()
                    for y in 0..<height {
                        (start + y * rowBytes).update(from: result + y * columns, count: columns)
                    }
                }
            }
        }
    }
}

/// A box filter with weights in units of 2⁻²⁴, which comes close to a Gaussian when passed over several times.
///
/// ## Source
/// Gwosdek et al., "Theoretical Foundations of Gaussian Convolution by Extended Box Filtering" (2011), in the floats of
/// Pillow's `src/libImaging/BoxBlur.c`.
private struct BoxFilter {
    let radius: Int
    let inner: UInt32
    let outer: UInt32
    let passes: Int

    init(deviation: Float, passes: Int) {
        let variance = deviation * deviation / Float(passes)
        let length = Float((12.0 * Double(variance) + 1).squareRoot())
        let whole = Float(((Double(length) - 1) / 2).rounded(.down))
        var part = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance)
        part /= 6 * (variance - (whole + 1) * (whole + 1))
        let width = whole + part
        self.passes = passes
        radius = Int(width)
        inner = UInt32(Float(1 << 24) / (width * 2 + 1))
        outer = ((1 << 24) &- UInt32(radius * 2 + 1) &* inner) / 2
    }

    /// Provides a buffer for one line of samples, `step` apart, padded at both ends.
    func withRoom(count: Int, step: Int, _ body: (BlurLine) -> Void) {
        let border = (radius + 1) * step
        let room = count + 2 * border
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 2 * room) { buffer in
            guard let start = buffer.baseAddress else { return }
            body(
                BlurLine(
                    filter: self,
                    input: start + border,
                    output: start + room + border,
                    count: count,
                    step: step
                )
            )
        }
    }
}

/// Two buffers for one line that is blurred.
private struct BlurLine {
    let filter: BoxFilter
    let input: UnsafeMutablePointer<UInt8>
    let output: UnsafeMutablePointer<UInt8>
    let count: Int
    let step: Int

    /// Blurs what was put at `input`, in all passes, and returns where the result lies.
    func blur() -> UnsafeMutablePointer<UInt8> {
        var (from, to) = (input, output)
        for _ in 0..<filter.passes {
            for k in 1...(filter.radius + 1) {
                (from - k * step).update(from: from, count: step)
                (from + count + (k - 1) * step).update(from: from + count - step, count: step)
            }
            ic_box_blur(from, to, count, step, filter.radius, filter.inner, filter.outer)
            swap(&from, &to)
        }
        return from
    }
}
