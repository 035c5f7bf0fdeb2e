import CImageCodecs
import Foundation

extension Image {
    /// Replaces the image by one of the same size whose pixels come from elsewhere in it, as Pillow's
    /// `Image.transform` with `AFFINE`, byte for byte.
    ///
    /// Samples are not averaged where the image shrinks, as in Pillow.
    ///
    /// - Parameters:
    ///   - matrix: Where each pixel comes from. A matrix that is not finite leaves the fill alone.
    ///   - interpolation: How samples are weighed.
    ///   - fill: The colour of what comes from outside: one value for all channels or one for each; colours become grey
    ///     in a grey image.
    public mutating func transform(
        by matrix: AffineMatrix,
        interpolation: Interpolation,
        fill: [UInt8] = [0]
    ) {
        let color = Image.fill(fill, channels: channels)
        guard hasUsualChannels else {
            return changeChannels { part, channel in
                part.transform(by: matrix, interpolation: interpolation, fill: [color[channel]])
            }
        }
        self = Image.filled(height: height, width: width, channels: channels) { output in
            paint(output, with: color)
            guard matrix.isFinite else { return }
            var affine = ic_affine()
            affine.m = (matrix.xx, matrix.xy, matrix.x, matrix.yx, matrix.yy, matrix.y)
            affine.height = height
            affine.width = width
            affine.channels = channels
            pixels.withUnsafeBufferPointer { input in
                guard interpolation != .nearest else {
                    ic_affine_nearest(input.baseAddress, output.baseAddress, &affine)
                    return
                }
                withUnsafeTemporaryAllocation(
                    of: UInt8.self,
                    capacity: (height + 4) * (width + 4) * 4
                ) { padded in
                    ic_pad(input.baseAddress, height, width, channels, padded.baseAddress)
                    if interpolation == .bilinear {
                        ic_affine_bilinear(padded.baseAddress, output.baseAddress, &affine)
                    } else {
                        ic_affine_bicubic(padded.baseAddress, output.baseAddress, &affine)
                    }
                }
            }
        }
    }

    /// Turns the image about its middle, as Pillow's `Image.rotate`; the size stays.
    ///
    /// - Parameters:
    ///   - degrees: The angle, counter-clockwise.
    ///   - interpolation: How samples are weighed.
    ///   - fill: The colour of what comes from outside: one value for all channels or one for each.
    public mutating func rotate(degrees: Double, interpolation: Interpolation, fill: [UInt8] = [0])
    {
        let rest = fmod(degrees, 360)
        let angle = rest < 0 ? rest + 360 : rest
        // Quarter turns move whole pixels, as in Pillow.
        switch angle {
        case 0: return
        case 180: turnHalf()
        case 90 where height == width, 270 where height == width:
            turnQuarter(counterclockwise: angle == 90)
        default:
            transform(
                by: AffineMatrix(degrees: angle, height: height, width: width),
                interpolation: interpolation,
                fill: fill
            )
        }
    }

    /// Mirrors the image top to bottom.
    public mutating func flipVertically() {
        let rowBytes = width * channels
        let height = height
        pixels.withUnsafeMutableBufferPointer { pixels in
            guard let start = pixels.baseAddress else { return }
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: rowBytes) { room in
                guard let spare = room.baseAddress else { return }
                for y in 0..<(height / 2) {
                    let upper = start + y * rowBytes
                    let lower = start + (height - 1 - y) * rowBytes
                    spare.update(from: upper, count: rowBytes)
                    upper.update(from: lower, count: rowBytes)
                    lower.update(from: spare, count: rowBytes)
                }
            }
        }
    }

    private mutating func turnHalf() {
        flipVertically()
        self = flippedHorizontally()
    }

    private mutating func turnQuarter(counterclockwise: Bool) {
        let side = width
        self = Image.filled(height: side, width: side, channels: channels) { output in
            pixels.withUnsafeBufferPointer { input in
                for y in 0..<side {
                    for x in 0..<side {
                        let from =
                            counterclockwise
                            ? x * side + side - 1 - y : (side - 1 - x) * side + y
                        for c in 0..<channels {
                            output[(y * side + x) * channels + c] = input[from * channels + c]
                        }
                    }
                }
            }
        }
    }

    /// A colour with one value for each channel.
    private static func fill(_ color: [UInt8], channels: Int) -> [UInt8] {
        if color.count == channels { return color }
        guard color.count == 3 else {
            return [UInt8](repeating: color.first ?? 0, count: channels)
        }
        let luma =
            UInt32(color[0]) * 19595 + UInt32(color[1]) * 38470 + UInt32(color[2]) * 7471 + 0x8000
        return [UInt8](repeating: UInt8(truncatingIfNeeded: luma >> 16), count: channels)
    }

    private func paint(_ output: UnsafeMutableBufferPointer<UInt8>, with color: [UInt8]) {
        guard let first = color.first else { return }
        guard color.contains(where: { $0 != first }) else {
            output.update(repeating: first)
            return
        }
        color.withUnsafeBufferPointer { color in
            var at = 0
            while at + color.count <= output.count {
                for c in 0..<color.count { output[at + c] = color[c] }
                at += color.count
            }
        }
    }
}
