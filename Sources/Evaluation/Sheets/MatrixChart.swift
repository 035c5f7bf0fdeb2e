import ImagePipeline

/// A matrix of counts as coloured squares: the brighter, the larger a count's share of its row.
struct MatrixChart {
    let title: String
    let rows: [String]
    let columns: [String]
    let counts: [[Int]]

    private static let scale = 2
    private static let line = DotFont.height * scale
    /// The room for names.
    private static let longest = 260

    /// The side of a square.
    private var cell: Int { max(2, min(44, 900 / max(1, max(rows.count, columns.count)))) }
    private var hasNames: Bool { cell >= Self.line + 2 }

    /// Draws the chart.
    ///
    /// - Returns: The image.
    /// - Throws: `ImageError` where it would be too large.
    func drawn() throws(ImageError) -> Image {
        let names = rows + columns
        let longest = names.map { Canvas.length(of: $0, scale: Self.scale) }.max() ?? 0
        let room = hasNames ? min(longest, Self.longest) + 12 : 8
        let (left, top) = (20 + room, 20 + Self.line + 16)
        let (width, height) = (cell * columns.count, cell * rows.count)
        let least = 40 + Canvas.length(of: title, scale: Self.scale)
        var canvas = try Canvas(
            height: top + height + room + 20,
            width: max(left + width + 110, least)
        )
        canvas.write(title, 16, 20, scale: Self.scale)
        for (row, counts) in counts.enumerated() {
            let sum = counts.reduce(0, +)
            for (column, count) in counts.enumerated() {
                let share = sum == 0 ? 0 : Double(count) / Double(sum)
                let place = (top: top + row * cell, left: left + column * cell)
                let gap = cell > 6 ? 1 : 0
                canvas.fill(
                    top: place.top,
                    left: place.left,
                    height: cell - gap,
                    width: cell - gap,
                    sum == 0 ? Canvas.pale : ColorMap.viridis(share)
                )
                if count > 0 { write(count, share, place, &canvas) }
            }
        }
        if hasNames { drawNames(&canvas, top: top, left: left, height: height) }
        drawScale(&canvas, top: top, left: left + width + 20, height: max(height, 120))
        return try canvas.image()
    }

    private func write(
        _ count: Int,
        _ share: Double,
        _ place: (top: Int, left: Int),
        _ canvas: inout Canvas
    ) {
        let text = "\(count)"
        guard let scale = [2, 1].first(where: { Canvas.length(of: text, scale: $0) < cell - 3 }),
            cell > DotFont.height + 3
        else { return }
        canvas.write(
            text,
            place.top + (cell - DotFont.height * scale) / 2,
            place.left + cell / 2,
            scale: scale,
            .centre,
            in: share > 0.55 ? Canvas.black : Canvas.white
        )
    }

    private func drawNames(_ canvas: inout Canvas, top: Int, left: Int, height: Int) {
        let inset = (cell - Self.line) / 2
        for (row, name) in rows.enumerated() {
            canvas.write(
                name,
                top + row * cell + inset,
                left - 8,
                scale: Self.scale,
                .right,
                room: Self.longest
            )
        }
        for (column, name) in columns.enumerated() {
            canvas.write(
                name,
                top + height + 8,
                left + column * cell + inset,
                scale: Self.scale,
                .right,
                room: Self.longest,
                isUpright: true
            )
        }
    }

    /// The colours beside their numbers.
    private func drawScale(_ canvas: inout Canvas, top: Int, left: Int, height: Int) {
        let height = min(height, 400)
        for y in 0..<height {
            let value = 1 - Double(y) / Double(height - 1)
            canvas.fill(top: top + y, left: left, height: 1, width: 18, ColorMap.viridis(value))
        }
        for tick in 0...4 {
            let y = top + (height - 1) * (4 - tick) / 4
            canvas.line(from: (y, left + 18), to: (y, left + 23))
            let shift = [4: 0, 0: Self.line - 1][tick] ?? Self.line / 2
            canvas.write("\(tick * 25) %", y - shift, left + 28, scale: Self.scale)
        }
    }
}
