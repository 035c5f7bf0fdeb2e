import ImagePipeline

/// Images of any shape in rows, each with a line of text below.
struct TileSheet {
    /// An image and what it is; without an image a gap.
    struct Tile {
        let image: Image?
        let caption: String

        static let gap = Tile(image: nil, caption: "")
    }

    /// The longer side of an image in the sheet, in pixels.
    let side: Int
    private(set) var rows: [[Tile]] = []

    init(side: Int) { self.side = side }

    /// Adds a row; its images are made small here, so that a sheet of many takes little memory.
    mutating func add(_ row: [Tile]) throws(ImageError) {
        var small: [Tile] = []
        for tile in row {
            small.append(Tile(image: try tile.image.map(fitted), caption: tile.caption))
        }
        rows.append(small)
    }

    private func fitted(_ image: Image) throws(ImageError) -> Image {
        let factor = Double(side) / Double(max(image.height, image.width))
        let (height, width) = (Double(image.height) * factor, Double(image.width) * factor)
        return try image.resized(
            height: max(1, Int(height.rounded())),
            width: max(1, Int(width.rounded())),
            interpolation: factor < 1 ? .bilinear : .nearest
        )
    }

    /// Draws the sheet.
    ///
    /// - Throws: `ImageError` when there are no images, or too many.
    func drawn() throws(ImageError) -> Image {
        let images = rows.flatMap { $0.compactMap(\.image) }
        guard let columns = rows.map(\.count).max(), let width = images.map(\.width).max() else {
            throw .invalid("a sheet without images cannot be drawn")
        }
        let (gap, line) = (4, DotFont.height + 4)
        let heights = rows.map { row in
            (row.compactMap { $0.image?.height }.max() ?? 0)
                + (row.contains { !$0.caption.isEmpty } ? line : 0) + gap
        }
        var canvas = try Canvas(
            height: heights.reduce(gap, +),
            width: columns * (width + gap) + gap
        )
        var top = gap
        for (row, height) in zip(rows, heights) {
            for (column, tile) in row.enumerated() {
                guard let image = tile.image else { continue }
                let left = gap + column * (width + gap)
                canvas.paste(image, top: top, left: left, scale: 1)
                canvas.write(tile.caption, top + image.height + 3, left, room: width)
            }
            top += height
        }
        return try canvas.image()
    }
}
