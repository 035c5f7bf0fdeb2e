import Foundation
import ImagePipeline

/// Bars from 0 to the right, in groups, with a whisker for the spread and a dot for each repeat.
struct BarChart {
    /// One bar.
    struct Bar {
        /// Its place in the legend.
        let series: Int
        /// Its length, 0 to 1.
        let value: Double
        /// The repeats that it is the mean of.
        let repeats: [Double]
        /// How far the whisker reaches on both sides; nil for none.
        let spread: Double?
        /// What is written behind it.
        let label: String
    }

    /// The bars of one name.
    struct Group {
        let name: String
        let bars: [Bar]
    }

    let title: String
    let axis: String
    let legend: [String]
    let groups: [Group]

    private static let scale = 2
    private static let line = DotFont.height * scale
    private static let bar = 18
    private static let plot = 640

    /// Draws the chart.
    ///
    /// - Returns: The image.
    /// - Throws: `ImageError` where it would be too large.
    func drawn() throws(ImageError) -> Image {
        let names = groups.map { Canvas.length(of: $0.name, scale: Self.scale) }.max() ?? 0
        let left = 20 + min(names, 480) + 10
        let labels = groups.flatMap(\.bars).map { Canvas.length(of: $0.label, scale: Self.scale) }
        let width = left + Self.plot + 30 + (labels.max() ?? 0)
        let top = 20 + Self.line + (legend.count > 1 ? 2 * Self.line : 0) + 16
        let rows = groups.reduce(0) { $0 + max(1, $1.bars.count) * Self.bar + 12 }
        var canvas = try Canvas(height: top + rows + 4 * Self.line + 24, width: width)

        canvas.write(title, 16, 20, scale: Self.scale, room: width - 40)
        if legend.count > 1 { drawLegend(&canvas, left: left) }
        drawAxis(&canvas, top: top, bottom: top + rows, left: left)
        var y = top + 6
        for group in groups {
            let height = max(1, group.bars.count) * Self.bar
            let middle = y + (height - Self.line) / 2
            canvas.write(group.name, middle, left - 10, scale: Self.scale, .right, room: left - 18)
            for bar in group.bars {
                draw(bar, &canvas, y: y, left: left)
                y += Self.bar
            }
            if group.bars.isEmpty {
                canvas.write("no result", middle, left + 8, scale: Self.scale, in: Canvas.grey)
                y += Self.bar
            }
            y += 12
        }
        return try canvas.image()
    }

    private func drawLegend(_ canvas: inout Canvas, left: Int) {
        var x = left
        let y = 16 + Self.line + 16
        for (series, name) in legend.enumerated() {
            canvas.fill(top: y, left: x, height: Self.line, width: Self.line, colour(series))
            canvas.write(name, y, x + Self.line + 8, scale: Self.scale)
            x += Self.line + 8 + Canvas.length(of: name, scale: Self.scale) + 28
        }
    }

    private func drawAxis(_ canvas: inout Canvas, top: Int, bottom: Int, left: Int) {
        for tick in 0...10 {
            let x = left + Self.plot * tick / 10
            canvas.line(from: (top, x), to: (bottom, x), tick == 0 ? Canvas.black : Canvas.pale)
            canvas.line(from: (bottom, x), to: (bottom + 5, x))
            if tick % 2 == 0 {
                canvas.write("\(tick * 10)", bottom + 10, x, scale: Self.scale, .centre)
            }
        }
        canvas.line(from: (bottom, left), to: (bottom, left + Self.plot))
        canvas.write(
            axis,
            bottom + 10 + Self.line + 10,
            left + Self.plot / 2,
            scale: Self.scale,
            .centre
        )
    }

    private func draw(_ bar: Bar, _ canvas: inout Canvas, y: Int, left: Int) {
        func place(_ value: Double) -> Int {
            Int((min(max(value.isNaN ? 0 : value, 0), 1) * Double(Self.plot)).rounded())
        }
        let end = place(bar.value)
        canvas.fill(top: y + 1, left: left, height: Self.bar - 2, width: end, colour(bar.series))
        let middle = y + Self.bar / 2
        var right = end
        if let spread = bar.spread {
            let (low, high) = (place(bar.value - spread), place(bar.value + spread))
            canvas.line(from: (middle, left + low), to: (middle, left + high))
            for edge in [low, high] {
                canvas.line(from: (middle - 4, left + edge), to: (middle + 4, left + edge))
            }
            right = max(right, high)
        }
        if bar.repeats.count > 1 {
            for value in bar.repeats {
                canvas.disc(middle, left + place(value), radius: 3, Canvas.black)
                canvas.disc(middle, left + place(value), radius: 2, Canvas.white)
                right = max(right, place(value) + 3)
            }
        }
        canvas.write(bar.label, middle - Self.line / 2, left + right + 10, scale: Self.scale)
    }

    private func colour(_ series: Int) -> Canvas.Colour {
        let last = Double(max(legend.count - 1, 1))
        // The ends of the map are too dark and too bright beside black lines on white.
        return ColorMap.viridis(legend.count > 1 ? 0.3 + 0.5 * Double(series) / last : 0.5)
    }
}
