import Foundation
import Storage
import Training

/// The table as Markdown and as CSV.
extension StudyReport {
    /// The table, what it means and the commands, as Markdown.
    public var markdown: String {
        let heads = shownHeads
        let columns =
            ["row"] + heads.map(title) + [
                "against the first", "best epoch", "last epoch", "time", "parameters",
            ]
        var lines = [
            "# \(name)", "", MarkdownTable.row(columns),
            "|---|" + String(repeating: "---:|", count: columns.count - 1),
        ]
        for teacher in teachers {
            let cells = heads.map { $0 == mainHead ? Self.percent(teacher.top1) : "" }
            lines.append(
                MarkdownTable.row(["*teacher* \(teacher.path)"] + cells + ["", "", "", "", ""])
            )
        }
        let reference = rows.first?.spread(of: mainHead)?.mean
        for row in rows { lines.append(MarkdownTable.row(cells(row, heads, reference: reference))) }
        lines += ["", meaning, "", "```", command, "```", "", "To run a single row:", "", "```"]
        for row in rows {
            lines.append("# \(row.name)")
            lines += row.runs.map(\.command)
        }
        return (lines + ["```", ""]).joined(separator: "\n")
    }

    private func cells(_ row: Row, _ heads: [Study.Head], reference: Double?) -> [String] {
        guard let main = row.spread(of: mainHead) else {
            let reason =
                row.runs.compactMap(\.failure).first.map { "failed: \($0)" } ?? "not run yet"
            return [row.name, reason] + Array(repeating: "", count: heads.count + 4)
        }
        let name =
            row.results.count == row.runs.count
            ? row.name : "\(row.name) (\(row.results.count) of \(row.runs.count) seeds)"
        let isFirst = row == rows.first
        let difference = isFirst ? "" : reference.map { Self.signed(main.mean - $0) } ?? ""
        let accuracies = heads.map { row.spread(of: $0).map(Self.percent) ?? "" }
        let epochs = row.results.map { "\($0.best.epoch)" + ($0.best.isAverage ? " (ema)" : "") }
        let last = Spread(row.results.compactMap { $0.last.of(mainHead) })
        let seconds = Spread(row.results.map(\.seconds))
        return [name] + accuracies + [
            difference,
            epochs.joined(separator: ", "),
            last.map(Self.percent) ?? "",
            seconds.map { Self.time($0.mean) } ?? "",
            Self.millions(row.parameterCount),
        ]
    }

    /// What the columns are.
    private var meaning: String {
        let spread =
            seeds.count > 1
            ? "Mean ± standard deviation over the seeds \(seeds.map(String.init).joined(separator: ", "))"
            : "One run per row, seed \(seeds.first ?? 0), so differences may be chance"
        return
            "\(metric == .map ? metric.title : "Top-1") on the validation images in %. \(spread). The epoch was chosen by the same images, among all "
            + "epochs and between the model and its moving average (ema); \"last epoch\" is the same kind of weights at "
            + "the end. Time is a run's, loading and validation included."
    }

    /// The table as CSV: a line for each run, shares from 0 to 1.
    public var csv: String {
        let score = metric == .map ? "map" : "top1"
        let header = [
            "row", "seed", score, "cls_\(score)", "dist_\(score)", "best_epoch", "best_is_ema",
            "last_\(score)", "seconds", "parameters", "row_mean_\(score)", "row_sd_\(score)",
            "failure", "command",
        ]
        var lines = [header.joined(separator: ",")]
        for teacher in teachers {
            let cells = ["teacher \(teacher.path)", "", "\(teacher.top1)"]
            lines.append((cells + Array(repeating: "", count: header.count - 3)).csvLine)
        }
        for row in rows {
            let spread = row.spread(of: .both)
            for run in row.runs {
                func text(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
                let best = run.result?.best
                lines.append(
                    [
                        row.name, "\(run.seed)", text(best?.top1), text(best?.cls),
                        text(best?.dist), best.map { "\($0.epoch)" } ?? "",
                        best.map { "\($0.isAverage)" } ?? "", text(run.result?.last.top1),
                        text(run.result?.seconds), "\(row.parameterCount)", text(spread?.mean),
                        text(spread?.deviation), run.failure ?? "", run.command,
                    ].csvLine
                )
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    // MARK: - Texts

    func title(_ head: Study.Head) -> String {
        switch head {
        case .cls: "class head"
        case .dist: "distillation head"
        case .both: metric.title
        }
    }

    static func percent(_ spread: Spread) -> String {
        percent(spread.mean)
            + (spread.deviation.map { String(format: " ± %.2f", $0 * 100) } ?? "")
    }

    static func percent(_ share: Double) -> String { String(format: "%.2f", share * 100) }

    private static func signed(_ share: Double) -> String {
        let text = String(format: "%+.2f", share * 100)
        return text.replacing("-", with: "−")
    }

    static func time(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        return String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
    }

    private static func millions(_ count: Int) -> String {
        count >= 1_000_000
            ? String(format: "%.1f M", Double(count) / 1e6)
            : String(format: "%.0f k", Double(count) / 1e3)
    }
}
