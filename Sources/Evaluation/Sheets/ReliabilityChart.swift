import Foundation
import ImagePipeline

/// Accuracy by confidence: bars that should end at the diagonal, and below them how many predictions each represents.
struct ReliabilityChart {
    let calibration: Calibration

    private static let scale = 2
    private static let line = DotFont.height * scale
    private static let side = 450
    private static let below = 110
    private static let left = 90

    /// Draws the chart.
    ///
    /// - Returns: The image.
    /// - Throws: `ImageError` where it would be too large.
    func drawn() throws(ImageError) -> Image {
        let top = 20 + 2 * Self.line + 24
        let counts = top + Self.side + 30
        let bottom = counts + Self.below
        var canvas = try Canvas(
            height: bottom + 3 * Self.line + 24,
            width: Self.left + Self.side + 50
        )
        let error = String(format: "%.2f", calibration.expectedError * 100)
        let images = calibration.bins.reduce(0) { $0 + $1.count }
        canvas.write("Expected calibration error \(error) %", 16, 20, scale: Self.scale)
        canvas.write(
            "\(images) predictions in \(calibration.bins.count) bins",
            16 + Self.line + 8,
            20,
            scale: Self.scale,
            in: Canvas.grey
        )
        drawBars(&canvas, top: top)
        drawCounts(&canvas, top: counts)
        drawAxes(&canvas, top: top, counts: counts, bottom: bottom)
        return try canvas.image()
    }

    private func place(_ value: Double) -> Int { Int((value * Double(Self.side)).rounded()) }

    private func drawBars(_ canvas: inout Canvas, top: Int) {
        let bottom = top + Self.side
        for tick in 0...5 {
            let at = place(Double(tick) / 5)
            canvas.line(
                from: (bottom - at, Self.left),
                to: (bottom - at, Self.left + Self.side),
                Canvas.pale
            )
        }
        for bin in calibration.bins where bin.count > 0 {
            let (from, to) = (Self.left + place(bin.lower), Self.left + place(bin.upper))
            let (low, high) = (
                place(min(bin.accuracy, bin.confidence)), place(max(bin.accuracy, bin.confidence))
            )
            let accuracy = place(bin.accuracy)
            canvas.fill(
                top: bottom - accuracy,
                left: from + 1,
                height: accuracy,
                width: to - from - 1,
                ColorMap.viridis(0.45)
            )
            // What is between accuracy and confidence is the error.
            for y in low..<max(low, high) {
                for x in from + 1..<to where (x + y) % 4 < 2 {
                    canvas.dot(bottom - 1 - y, x, Canvas.Colour(205, 60, 60))
                }
            }
            canvas.fill(
                top: bottom - accuracy - 1,
                left: from + 1,
                height: 3,
                width: to - from - 1,
                Canvas.black
            )
        }
        canvas.line(
            from: (bottom, Self.left),
            to: (top, Self.left + Self.side),
            Canvas.black,
            isDashed: true
        )
    }

    private func drawCounts(_ canvas: inout Canvas, top: Int) {
        let most = Double(max(calibration.bins.map(\.count).max() ?? 1, 1))
        for bin in calibration.bins where bin.count > 0 {
            let (from, to) = (Self.left + place(bin.lower), Self.left + place(bin.upper))
            let height = max(1, Int((Double(bin.count) / most * Double(Self.below)).rounded()))
            canvas.fill(
                top: top + Self.below - height,
                left: from + 1,
                height: height,
                width: to - from - 1,
                Canvas.grey
            )
        }
        canvas.write("\(Int(most))", top, Self.left - 8, scale: Self.scale, .right)
    }

    private func drawAxes(_ canvas: inout Canvas, top: Int, counts: Int, bottom: Int) {
        canvas.frame(top: top, left: Self.left, height: Self.side + 1, width: Self.side + 1)
        canvas.frame(top: counts, left: Self.left, height: Self.below + 1, width: Self.side + 1)
        for tick in 0...5 {
            let text = String(format: "%.1f", Double(tick) / 5)
            let (x, y) = (
                Self.left + place(Double(tick) / 5), top + Self.side - place(Double(tick) / 5)
            )
            canvas.line(from: (y, Self.left - 5), to: (y, Self.left))
            canvas.write(text, y - Self.line / 2, Self.left - 8, scale: Self.scale, .right)
            canvas.line(from: (bottom, x), to: (bottom + 5, x))
            canvas.write(text, bottom + 10, x, scale: Self.scale, .centre)
        }
        let middle = top + Self.side / 2
        canvas.write("accuracy", middle, 14, scale: Self.scale, .centre, isUpright: true)
        canvas.write(
            "number",
            counts + Self.below / 2,
            14,
            scale: Self.scale,
            .centre,
            isUpright: true
        )
        canvas.write(
            "confidence",
            bottom + 10 + Self.line + 8,
            Self.left + Self.side / 2,
            scale: Self.scale,
            .centre
        )
    }
}
