import ImagePipeline
import VisionModels

/// Images of maps: in colours, over the image, and as what a mask keeps of it.
///
/// All have the size of the image that they belong to.
struct HeatImage {
    /// How many of an image's colours shine through a map over it.
    private static let transparency = 0.4
    /// How bright what a mask leaves out remains.
    private static let dimming = 0.3
    private static let edge = SIMD3<UInt8>(255, 210, 0)

    let height: Int
    let width: Int
    let upscaling: Upscaling
    let colors: ColorMap

    /// The numbers in colours.
    func colored(_ values: [Float], _ grid: PatchGrid, _ range: ValueRange) throws -> Image {
        // 256 colours are all that a byte tells apart; mixing each one would take longer than the model.
        let table = (0..<256).map { colors(Double($0) / 255) }
        let large = try upscaling(values, grid, height: height, width: width)
        var pixels = [UInt8](repeating: 0, count: large.count * 3)
        for (i, value) in large.enumerated() {
            let color = table[Int((range.place(of: value) * 255).rounded())]
            for c in 0..<3 { pixels[3 * i + c] = color[c] }
        }
        return try Image(height: height, width: width, channels: 3, pixels: pixels)
    }

    /// Colours over an image, which becomes grey so that every colour means a number.
    func overlay(_ colors: Image, on image: Image) throws -> Image {
        let grey = try image.converted(toChannels: 1)
        guard grey.pixels.count * 3 == colors.pixels.count else { return colors }
        var pixels = colors.pixels
        for i in grey.pixels.indices {
            let below = Double(grey.pixels[i]) * Self.transparency
            for c in 0..<3 {
                let above = Double(pixels[3 * i + c]) * (1 - Self.transparency)
                pixels[3 * i + c] = UInt8((below + above).rounded())
            }
        }
        return try Image(height: height, width: width, channels: 3, pixels: pixels)
    }

    /// The mask in this size, 255 where it keeps and 0 elsewhere: patches are not cut.
    func mask(_ kept: [Bool], _ grid: PatchGrid) throws -> Image {
        let pixels = (0..<height).flatMap { y in
            let row = y * grid.height / height * grid.width
            return (0..<width).map { x -> UInt8 in
                kept[row + x * grid.width / width] ? 255 : 0
            }
        }
        return try Image(height: height, width: width, channels: 1, pixels: pixels)
    }

    /// What a mask keeps of an image, within a line; the rest is darkened.
    static func cutout(_ image: Image, by mask: Image) throws -> Image {
        let (height, width) = (image.height, image.width)
        var pixels = try image.converted(toChannels: 3).pixels
        let kept = mask.pixels
        guard kept.count * 3 == pixels.count else { return image }
        let line = max(1, min(height, width) / 200)
        for y in 0..<height {
            for x in 0..<width where kept[y * width + x] == 0 {
                let isEdge = [(0, -line), (0, line), (-line, 0), (line, 0)].contains { dy, dx in
                    let (row, column) = (y + dy, x + dx)
                    guard (0..<height).contains(row), (0..<width).contains(column) else {
                        return false
                    }
                    return kept[row * width + column] != 0
                }
                let at = 3 * (y * width + x)
                for c in 0..<3 {
                    pixels[at + c] =
                        isEdge ? edge[c] : UInt8(Double(pixels[at + c]) * Self.dimming)
                }
            }
        }
        return try Image(height: height, width: width, channels: 3, pixels: pixels)
    }

    /// Three numbers for each patch as red, green and blue; what is missing is half.
    func rgb(_ parts: [[Float]], _ ranges: [ValueRange], _ grid: PatchGrid) throws -> Image {
        var pixels = [UInt8](repeating: 128, count: height * width * 3)
        for (c, part) in parts.prefix(3).enumerated() where c < ranges.count {
            let large = try upscaling(part, grid, height: height, width: width)
            for (i, value) in large.enumerated() {
                pixels[3 * i + c] = UInt8((ranges[c].place(of: value) * 255).rounded())
            }
        }
        return try Image(height: height, width: width, channels: 3, pixels: pixels)
    }
}
