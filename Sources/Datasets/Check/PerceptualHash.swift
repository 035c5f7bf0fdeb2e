import Foundation
import ImagePipeline

/// What an image looks like, in few bytes: equal for copies of other sizes and qualities, close for small changes.
struct PerceptualHash: Sendable {
    /// The signs of the lowest frequencies against their median.
    let bits: UInt64
    /// The image in 16 × 16 pixels of three channels.
    let thumbnail: [UInt8]
    /// Whether the image is uniform, so that the hash does not identify it.
    let isBlank: Bool

    static let side = 16
    static let thumbnailSize = 3 * side * side
    private static let gridSide = 32

    /// Looks at an image.
    ///
    /// ## Source
    /// Buchner, `imagehash/__init__.py, phash`: the DCT of 32 × 32 grey pixels, of which 8 × 8 are compared with their median.
    ///
    /// - Parameter image: The image, upright.
    /// - Throws: `ImageError` when it cannot be made small.
    init(_ image: Image) throws(ImageError) {
        let side = Self.gridSide
        let small = try image.converted(toChannels: 3)
            .resized(height: side, width: side, interpolation: .bilinear)
        let pixels = small.pixels
        let grey = Self.grey(pixels)
        bits = Self.signs(of: Self.lowFrequencies(grey))
        thumbnail = Self.halved(pixels)
        let count = Float(grey.count)
        var (sum, squares): (Float, Float) = (0, 0)
        for value in grey { sum += value }
        let mean = sum / count
        for value in grey { squares += (value - mean) * (value - mean) }
        let variance = squares / count
        isBlank = variance < 1
    }

    private static func grey(_ pixels: [UInt8]) -> [Float] {
        stride(from: 0, to: pixels.count, by: 3).map { (at: Int) -> Float in
            let (red, green, blue) = (
                Float(pixels[at]), Float(pixels[at + 1]), Float(pixels[at + 2])
            )
            return red * 0.299 + green * 0.587 + blue * 0.114
        }
    }

    /// The cosines of the transform, `[frequency, place]`.
    private static let cosines: [Float] = (0..<(8 * gridSide)).map { (at: Int) -> Float in
        let (frequency, place) = (Double(at / gridSide), Double(at % gridSide))
        let angle = Double.pi / Double(gridSide) * (place + 0.5) * frequency
        return Float(cos(angle))
    }

    /// The 8 × 8 lowest frequencies of 32 × 32 values.
    private static func lowFrequencies(_ values: [Float]) -> [Float] {
        var rows = [Float](repeating: 0, count: gridSide * 8)
        for y in 0..<gridSide {
            for u in 0..<8 {
                var sum: Float = 0
                for x in 0..<gridSide {
                    sum += values[y * gridSide + x] * cosines[u * gridSide + x]
                }
                rows[y * 8 + u] = sum
            }
        }
        var result = [Float](repeating: 0, count: 64)
        for v in 0..<8 {
            for u in 0..<8 {
                var sum: Float = 0
                for y in 0..<gridSide { sum += rows[y * 8 + u] * cosines[v * gridSide + y] }
                result[v * 8 + u] = sum
            }
        }
        return result
    }

    private static func signs(of values: [Float]) -> UInt64 {
        let sorted = values.sorted()
        let median = (sorted[31] + sorted[32]) / 2
        return values.reduce(0) { $0 << 1 | ($1 > median ? 1 : 0) }
    }

    private static func halved(_ pixels: [UInt8]) -> [UInt8] {
        let row = 3 * gridSide
        return (0..<thumbnailSize).map { (place: Int) -> UInt8 in
            let (channel, x, y) = (place % 3, place / 3 % side, place / (3 * side))
            let start = 2 * y * row + 6 * x + channel
            var sum = Int(pixels[start]) + Int(pixels[start + 3])
            sum += Int(pixels[start + row]) + Int(pixels[start + row + 3])
            return UInt8((sum + 2) / 4)
        }
    }

    /// How much two thumbnails look the same: their correlation, 1 for the same up to contrast and brightness.
    ///
    /// Images that are much brighter, or of another tint, count as different: then it is 0.
    static func similarity(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Double {
        guard left.count == thumbnailSize, right.count == thumbnailSize else { return 0 }
        let (first, second) = (left.startIndex, right.startIndex)
        let count = Double(side * side)
        var (products, lefts, rights) = (0.0, 0.0, 0.0)
        for channel in 0..<3 {
            var (sumL, sumR, sumLL, sumRR, sumLR) = (0, 0, 0, 0, 0)
            for place in stride(from: channel, to: thumbnailSize, by: 3) {
                let (l, r) = (Int(left[first + place]), Int(right[second + place]))
                sumL += l
                sumR += r
                sumLL += l * l
                sumRR += r * r
                sumLR += l * r
            }
            guard abs(Double(sumL - sumR)) <= 48 * count else { return 0 }
            products += Double(sumLR) - Double(sumL) * Double(sumR) / count
            lefts += Double(sumLL) - Double(sumL) * Double(sumL) / count
            rights += Double(sumRR) - Double(sumR) * Double(sumR) / count
        }
        guard lefts > 0, rights > 0 else { return 0 }
        return products / (lefts * rights).squareRoot()
    }
}
