import Checkpoints
import Foundation
import ImagePipeline
import Storage
import Testing
import Training

@testable import Evaluation

struct StudyReportTests {
    private func result(_ top1: Double, cls: Double? = nil, epoch: Int = 3) -> RunResult {
        RunResult(
            best: .init(
                epoch: epoch,
                isAverage: true,
                top1: top1,
                cls: cls,
                dist: cls.map { $0 - 0.02 }
            ),
            last: .init(epoch: 4, isAverage: true, top1: top1 - 0.01, cls: nil, dist: nil),
            seconds: 3725
        )
    }

    private func run(_ seed: Int, _ result: RunResult?, failure: String? = nil) -> StudyReport.Run {
        StudyReport.Run(
            seed: seed,
            folder: "s/runs/x-seed\(seed)",
            command: "deit train --seed \(seed)",
            result: result,
            failure: failure
        )
    }

    private func report(_ rows: [StudyReport.Row], seeds: [Int] = [0, 1]) -> StudyReport {
        StudyReport(
            name: "study",
            command: "deit ablate study.yaml",
            heads: Study.Head.allCases,
            seeds: seeds,
            rows: rows,
            teachers: [.init(path: "runs/teacher", top1: 0.8125, count: 64)]
        )
    }

    private var twoRows: StudyReport {
        report([
            .init(
                name: "full",
                changes: [],
                parameterCount: 2_345_678,
                runs: [run(0, result(0.5)), run(1, result(0.52))]
            ),
            .init(
                name: "a|b, c",
                changes: ["mixup 0"],
                parameterCount: 12_000,
                runs: [run(0, result(0.4, cls: 0.39)), run(1, nil, failure: "diverged")]
            ),
        ])
    }

    /// NumPy: `std([0.61, 0.63, 0.59], ddof=1)` is 0.02, of 0.5 and 0.52 it is 0.0141421356.
    @Test func theSpreadIsTheSamplesDeviation() throws {
        let three = try #require(Spread([0.61, 0.63, 0.59]))
        #expect(abs(three.mean - 0.61) < 1e-12)
        #expect(abs((three.deviation ?? -1) - 0.02) < 1e-12)
        #expect(abs((Spread([0.5, 0.52])?.deviation ?? -1) - 0.014_142_135_623_730_963) < 1e-12)
        #expect(Spread([0.5])?.deviation == nil && Spread([]) == nil)
    }

    @Test func theTableHasALineForEachRow() throws {
        let lines = twoRows.markdown.split(separator: "\n").map(String.init)
        let full = try #require(lines.first { $0.hasPrefix("| full |") })
        #expect(full.contains("| 51.00 ± 1.41 |") && full.contains("| 3 (ema), 3 (ema) |"))
        #expect(full.contains("| 50.00 ± 1.41 |") && full.contains("| 1:02:05 | 2.3 M |"))
        let other = try #require(lines.first { $0.hasPrefix("| a\\|b, c") })
        #expect(other.contains("(1 of 2 seeds)") && other.contains("| −11.00 |"))
        #expect(other.contains("| 39.00 |") && other.contains("| 12 k |"))
        #expect(
            lines.contains { $0.hasPrefix("| *teacher* runs/teacher |") && $0.contains("81.25") }
        )
        #expect(lines.contains("deit train --seed 1") && lines.contains("deit ablate study.yaml"))
        // Every line of the table has as many cells.
        let cells = lines.filter { $0.hasPrefix("|") }.map {
            $0.replacing("\\|", with: "").count { $0 == "|" }
        }
        #expect(Set(cells).count == 1)
    }

    @Test func oneSeedHasNoSpreadAndSaysSo() {
        let report = report(
            [.init(name: "only", changes: [], parameterCount: 1, runs: [run(0, result(0.25))])],
            seeds: [0]
        )
        #expect(
            report.markdown.contains("| 25.00 |") && report.markdown.contains("may be chance")
        )
        #expect(!report.markdown.contains("±"))
        // Without a second head there is no column for it.
        #expect(!report.markdown.contains("class head"))
    }

    @Test func theOtherFormsHoldTheSame() throws {
        let lines = twoRows.csv.split(separator: "\n").map(String.init)
        #expect(lines.count == 1 + 1 + 4)
        #expect(lines[2].hasPrefix("full,0,0.5,,,3,true,0.49,3725.0,2345678,0.51,"))
        #expect(lines[5].hasPrefix("\"a|b, c\",1,,,,,,,,12000,0.4,,diverged,"))
        let json = twoRows.json
        let rows = try #require(json["rows"]?.arrayValue)
        #expect(rows.count == 2)
        #expect(rows[0]["top1"]?["mean"]?.doubleValue == 0.51)
        #expect(rows[1]["cls_top1"]?["mean"]?.doubleValue == 0.39)
        #expect(rows[1]["runs"]?.arrayValue?[1]["failure"]?.stringValue == "diverged")
        #expect(json["teachers"]?.arrayValue?[0]["top1"]?.doubleValue == 0.8125)
    }

    @Test func barsAreAsLongAsTheirNumbers() throws {
        let chart = BarChart(
            title: "t",
            axis: "x",
            legend: ["one"],
            groups: [
                .init(
                    name: "half",
                    bars: [.init(series: 0, value: 0.5, repeats: [], spread: nil, label: "50")]
                ), .init(name: "none", bars: []),
            ]
        )
        let image = try chart.drawn()
        let colour = ColorMap.viridis(0.5)
        var longest = 0
        for y in 0..<image.height {
            let inRow = (0..<image.width).count { x in
                let at = (y * image.width + x) * 3
                return (0..<3).allSatisfy { image.pixels[at + $0] == colour[$0] }
            }
            longest = max(longest, inRow)
        }
        // A line of the grid may lie on it, and half of 640 is 320.
        #expect(longest == 320)
        #expect(try Image(decoding: twoRows.chart().encodedPNG()).channels == 3)
    }

    @Test func drawingBeyondTheEdgeIsLeftOut() throws {
        var canvas = try Canvas(height: 20, width: 30)
        canvas.fill(top: -5, left: 25, height: 100, width: 100, Canvas.black)
        canvas.write("far too long for this", 12, -3, scale: 3)
        canvas.line(from: (-10, -10), to: (50, 50))
        canvas.disc(0, 0, radius: 4, Canvas.grey)
        #expect(try canvas.image().pixels.count == 20 * 30 * 3)
        #expect(throws: ImageError.self) { try Canvas(height: .max, width: 2) }
    }

    /// Upright text is the same text turned to the left.
    @Test func uprightTextIsTurned() throws {
        var (flat, upright) = (try Canvas(height: 60, width: 60), try Canvas(height: 60, width: 60))
        flat.write("Fg1", 10, 5)
        upright.write("Fg1", 54, 10, isUpright: true)
        let (one, other) = (try flat.image(), try upright.image())
        for y in 0..<60 {
            for x in 0..<60 {
                #expect(one.pixels[(y * 60 + x) * 3] == other.pixels[((59 - x) * 60 + y) * 3])
            }
        }
    }
}
