internal import CZlib
import ImagePipeline

/// Writes small pictures as PNG files, for pages that hold their own pictures.
enum ThumbnailPNG {
    /// The file of a picture whose longer side has at most so many pixels; nil where it cannot be made.
    ///
    /// - Parameters:
    ///   - image: The picture.
    ///   - side: The most pixels of a side.
    /// - Returns: The file's bytes.
    static func encode(_ image: Image, side: Int) -> [UInt8]? {
        let scale = min(1, Double(side) / Double(max(image.width, image.height)))
        let height = max(1, Int((Double(image.height) * scale).rounded()))
        let width = max(1, Int((Double(image.width) * scale).rounded()))
        guard
            let small = try? image.resized(height: height, width: width, interpolation: .bilinear),
            let data = deflated(filtered(small))
        else { return nil }
        var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        let type: UInt8 = small.channels == 3 ? 2 : 0
        append("IHDR", big(width) + big(height) + [8, type, 0, 0, 0], to: &file)
        append("IDAT", data, to: &file)
        append("IEND", [], to: &file)
        return file
    }

    /// Each row after the filter "Paeth", which suits photographs: the difference from a neighbour.
    private static func filtered(_ image: Image) -> [UInt8] {
        let (pixels, step) = (image.pixels, image.channels)
        let row = image.width * step
        var output: [UInt8] = []
        output.reserveCapacity(image.height * (row + 1))
        for y in 0..<image.height {
            output.append(4)
            for x in 0..<row {
                let at = y * row + x
                let left = x >= step ? Int(pixels[at - step]) : 0
                let above = y > 0 ? Int(pixels[at - row]) : 0
                let corner = x >= step && y > 0 ? Int(pixels[at - row - step]) : 0
                let (dLeft, dAbove) = (abs(above - corner), abs(left - corner))
                let dCorner = abs(left + above - 2 * corner)
                let guess =
                    dLeft <= dAbove && dLeft <= dCorner ? left : dAbove <= dCorner ? above : corner
                output.append(pixels[at] &- UInt8(guess))
            }
        }
        return output
    }

    private static func deflated(_ bytes: [UInt8]) -> [UInt8]? {
        var size = compressBound(UInt(bytes.count))
        var status = Z_MEM_ERROR
        let output = [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
            status = compress2(buffer.baseAddress, &size, bytes, UInt(bytes.count), 9)
            count = status == Z_OK ? Int(size) : 0
        }
        return status == Z_OK ? output : nil
    }

    private static func append(_ name: String, _ data: [UInt8], to file: inout [UInt8]) {
        let body = Array(name.utf8) + data
        let sum = crc32(0, body, UInt32(body.count))
        file += big(data.count) + body + big(Int(sum))
    }

    private static func big(_ value: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }
}
