public import ImagePipeline

/// An image whose colours are labels: of which object each pixel is.
///
/// Black is the background, every other colour an object. Masks with a palette, as of
/// DAVIS, are read by their colours, grey ones by their numbers; what is written has the same colours.
public struct LabelMask: Sendable, Equatable {
    /// More colours than these are a photograph.
    static let mostLabels = 255

    /// The rows.
    public let height: Int

    /// The columns.
    public let width: Int

    /// The label of each pixel, an index into the colours.
    public let labels: [UInt8]

    /// The colours of the labels, 1 or 3 samples each, in the order of their samples: black comes first.
    let colors: [[UInt8]]

    /// The height and width.
    var size: ImageSize { ImageSize(height: height, width: width) }

    /// The number of labels, the background among them.
    public var labelCount: Int { colors.count }

    /// Whether the first label is black, which represents the background.
    public var hasBackground: Bool { colors.first?.allSatisfy { $0 == 0 } ?? false }

    /// Reads the labels of an image.
    ///
    /// - Parameter image: The image, with few colours.
    /// - Throws: ``EvaluationError/invalid(_:)`` when it has only one colour, or so many that it is not a mask.
    public init(_ image: Image) throws(EvaluationError) {
        let channels = image.channels
        var numbers: [UInt32: UInt8] = [:]
        var found: [UInt32] = []
        func color(_ pixel: Int) -> UInt32 {
            (0..<min(channels, 3)).reduce(0) {
                $0 << 8 | UInt32(image.pixels[pixel * channels + $1])
            }
        }
        let count = image.height * image.width
        for pixel in 0..<count where numbers[color(pixel)] == nil {
            guard found.count <= Self.mostLabels else {
                throw .invalid(
                    "the mask has more than \(Self.mostLabels + 1) colours, so it is not a mask: use a PNG with one colour "
                        + "for each object (JPEG blurs colours)"
                )
            }
            numbers[color(pixel)] = 0
            found.append(color(pixel))
        }
        guard found.count > 1 else {
            throw .invalid("the mask has one colour only; it needs a background and an object")
        }
        // The same colours get the same labels in every mask, whichever comes first in it.
        found.sort()
        for (label, color) in found.enumerated() { numbers[color] = UInt8(label) }
        height = image.height
        width = image.width
        labels = (0..<count).map { numbers[color($0)] ?? 0 }
        colors = found.map { color in
            channels < 3
                ? [UInt8(color & 0xFF)]
                : [UInt8(color >> 16 & 0xFF), UInt8(color >> 8 & 0xFF), UInt8(color & 0xFF)]
        }
    }

    private init(_ labels: [UInt8], height: Int, width: Int, colors: [[UInt8]]) {
        self.labels = labels
        self.height = height
        self.width = width
        self.colors = colors
    }

    /// Another mask with the same colours.
    func with(_ labels: [UInt8]) -> LabelMask {
        LabelMask(labels, height: height, width: width, colors: colors)
    }

    /// Reads another mask of the same film, which may lack some labels, or all.
    func reading(_ image: Image) throws(EvaluationError) -> LabelMask {
        let channels = min(image.channels, 3)
        var labels = [UInt8](repeating: 0, count: image.height * image.width)
        let known = colors.map { color in
            channels == color.count
                ? color : channels == 3 ? [color[0], color[0], color[0]] : [color[0]]
        }
        for pixel in labels.indices {
            let start = pixel * image.channels
            let color = Array(image.pixels[start..<(start + channels)])
            if let label = known.firstIndex(of: color) { labels[pixel] = UInt8(label) }
        }
        return LabelMask(labels, height: image.height, width: image.width, colors: colors)
    }

    /// The objects in strong colours over a frame.
    func overlay(on frame: Image) throws(ImageError) -> Image {
        let palette: [SIMD3<Double>] = [
            [230, 60, 50], [40, 140, 230], [250, 200, 30], [60, 180, 80], [190, 80, 210],
            [250, 130, 20], [30, 200, 200], [250, 120, 180],
        ]
        var pixels = try frame.converted(toChannels: 3).pixels
        guard pixels.count == labels.count * 3 else { return frame }
        let firstObject = hasBackground ? 1 : 0
        for (pixel, label) in labels.enumerated() where Int(label) >= firstObject {
            let color = palette[(Int(label) - firstObject) % palette.count]
            for c in 0..<3 {
                let mixed = Double(pixels[3 * pixel + c]) * 0.4 + color[c] * 0.6
                pixels[3 * pixel + c] = UInt8(mixed.rounded())
            }
        }
        return try Image(height: height, width: width, channels: 3, pixels: pixels)
    }

    /// The mask as an image.
    ///
    /// - Returns: The image, grey or in colour as the first one was.
    /// - Throws: `ImageError` when it is too large.
    public func image() throws(ImageError) -> Image {
        let channels = colors.first?.count ?? 1
        var pixels: [UInt8] = []
        pixels.reserveCapacity(labels.count * channels)
        for label in labels { pixels += colors[Int(label)] }
        return try Image(height: height, width: width, channels: channels, pixels: pixels)
    }

    /// How well two masks agree: for each label the share of the pixels of either that are of both.
    ///
    /// - Parameter truth: The right mask, of the same size.
    /// - Returns: The share of each label by its place in this mask, 0 to 1; nil for a label that neither has.
    /// - Throws: ``EvaluationError/invalid(_:)`` when the sizes differ.
    ///
    /// ## Source
    /// Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object Segmentation" (2016), the measure J.
    public func overlap(with truth: LabelMask) throws(EvaluationError) -> [Double?] {
        guard (height, width) == (truth.height, truth.width) else {
            throw .invalid(
                "a mask of \(truth.size) cannot be compared with one of \(size)"
            )
        }
        var both = [Int](repeating: 0, count: colors.count)
        var either = both
        let places = truth.colors.map { color in colors.firstIndex(of: color) }
        for (mine, other) in zip(labels, truth.labels) {
            let right = places[Int(other)]
            either[Int(mine)] += 1
            if right == Int(mine) {
                both[Int(mine)] += 1
            } else if let right {
                either[right] += 1
            }
        }
        return colors.indices.map { either[$0] > 0 ? Double(both[$0]) / Double(either[$0]) : nil }
    }
}
