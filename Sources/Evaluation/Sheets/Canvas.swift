import ImagePipeline

/// A white image to draw on; what is beyond its edges is left out.
struct Canvas {
    typealias Colour = SIMD3<UInt8>

    /// Where a text is placed relative to its point.
    enum Alignment {
        case left, centre, right
    }

    static let black = Colour(0, 0, 0)
    static let grey = Colour(repeating: 120)
    static let pale = Colour(repeating: 222)
    static let white = Colour(repeating: 255)

    let height: Int
    let width: Int
    private var pixels: [UInt8]

    /// - Throws: `ImageError` when it would be too large.
    init(height: Int, width: Int) throws(ImageError) {
        let (count, overflow) = height.multipliedReportingOverflow(by: width)
        guard !overflow, count <= 1 << 28 else {
            throw .invalid(
                "a sheet of \(ImageSize(height: height, width: width)) is too large; ask for fewer images"
            )
        }
        self.height = height
        self.width = width
        pixels = [UInt8](repeating: 255, count: count * 3)
    }

    /// Colours one pixel.
    mutating func dot(_ y: Int, _ x: Int, _ colour: Colour = black) {
        guard (0..<height).contains(y), (0..<width).contains(x) else { return }
        let at = (y * width + x) * 3
        for c in 0..<3 { pixels[at + c] = colour[c] }
    }

    /// Fills a rectangle.
    mutating func fill(top: Int, left: Int, height: Int, width: Int, _ colour: Colour) {
        for y in max(0, top)..<max(0, top, min(self.height, top + height)) {
            for x in max(0, left)..<max(0, left, min(self.width, left + width)) {
                dot(y, x, colour)
            }
        }
    }

    /// Draws the edge of a rectangle.
    mutating func frame(top: Int, left: Int, height: Int, width: Int, _ colour: Colour = black) {
        fill(top: top, left: left, height: 1, width: width, colour)
        fill(top: top + height - 1, left: left, height: 1, width: width, colour)
        fill(top: top, left: left, height: height, width: 1, colour)
        fill(top: top, left: left + width - 1, height: height, width: 1, colour)
    }

    /// Draws a straight line, of dashes where it is to be.
    mutating func line(
        from start: (y: Int, x: Int),
        to end: (y: Int, x: Int),
        _ colour: Colour = black,
        isDashed: Bool = false
    ) {
        let steps = max(abs(end.y - start.y), abs(end.x - start.x), 1)
        for step in 0...steps where !isDashed || step / 4 % 2 == 0 {
            let share = Double(step) / Double(steps)
            dot(
                start.y + Int((Double(end.y - start.y) * share).rounded()),
                start.x + Int((Double(end.x - start.x) * share).rounded()),
                colour
            )
        }
    }

    /// Draws a filled circle.
    mutating func disc(_ y: Int, _ x: Int, radius: Int, _ colour: Colour) {
        for dy in -radius...radius {
            for dx in -radius...radius where dy * dy + dx * dx <= radius * radius {
                dot(y + dy, x + dx, colour)
            }
        }
    }

    /// Copies an image, every pixel a square of `scale` by `scale`.
    mutating func paste(_ image: Image, top: Int, left: Int, scale: Int) {
        let last = image.channels - 1
        for y in 0..<(image.height * scale) {
            for x in 0..<(image.width * scale) {
                let from = (y / scale * image.width + x / scale) * image.channels
                let (r, g, b) = (from, from + min(1, last), from + min(2, last))
                dot(top + y, left + x, Colour(image.pixels[r], image.pixels[g], image.pixels[b]))
            }
        }
    }

    /// Writes text whose top is at row `y`, and whose left end, middle or right end is at column `x`.
    ///
    /// Each dot of a letter is a square of `scale` pixels. Text that is longer than `room` pixels ends in `..`. Upright
    /// text is read from below, its tops at column `x`, and `y` is where it begins, has its middle or ends.
    mutating func write(
        _ text: String,
        _ y: Int,
        _ x: Int,
        scale: Int = 1,
        _ alignment: Alignment = .left,
        in colour: Colour = black,
        room: Int = .max,
        isUpright: Bool = false
    ) {
        let shown = Self.shortened(text, room: room, scale: scale)
        let length = Self.length(of: shown, scale: scale)
        let shift =
            switch alignment {
            case .left: 0
            case .centre: -length / 2
            case .right: -length
            }
        DotFont.draw(shown) { row, column in
            let (along, across) = (shift + column * scale, row * scale)
            let (top, left) =
                isUpright ? (y - along - scale + 1, x + across) : (y + across, x + along)
            fill(top: top, left: left, height: scale, width: scale, colour)
        }
    }

    /// The pixels that a text takes.
    static func length(of text: String, scale: Int) -> Int {
        max(0, DotFont.plain(text).count * DotFont.advance - 1) * scale
    }

    private static func shortened(_ text: String, room: Int, scale: Int) -> String {
        let plain = DotFont.plain(text)
        let most = max(0, room / scale / DotFont.advance)
        let shown = plain.count > most ? plain.prefix(max(0, most - 2)) + [46, 46] : plain[...]
        return String(decoding: shown, as: UTF8.self)
    }

    /// The image.
    func image() throws(ImageError) -> Image {
        try Image(height: height, width: width, channels: 3, pixels: pixels)
    }
}
