import Foundation
import Inference
import Storage

/// The page of a report: the numbers of all images, those of each class, and both pictures.
struct EvaluationPage {
    let model: String
    let data: String
    let report: EvaluationReport
    let confusion: ConfusionMatrix
    /// The names of the data's classes, and of the one for all others.
    let name: (_ place: Int) -> String

    private static let style = """
        body{font:15px/1.4 system-ui,sans-serif;margin:2em auto;max-width:1100px;padding:0 1em;background:#fff;color:#111}
        table{border-collapse:collapse;margin:1em 0}th,td{padding:.2em .8em;text-align:right;border-bottom:1px solid #ddd}
        th:first-child,td:first-child,td:last-child{text-align:left}img{max-width:100%;margin:1em 0}
        """

    /// The whole page; pictures are named relative to it.
    var html: String {
        let scores = confusion.classScores
        let summary = [
            ("top-1", percent(report.top1)), ("top-5", percent(report.top5)),
            ("balanced accuracy", percent(scores.balancedAccuracy)),
            ("macro F1", percent(scores.macroF1)),
            ("calibration error", percent(report.calibration.expectedError)),
            ("loss", String(format: "%.4f", report.loss)), ("images", "\(report.count)"),
        ].map { "<tr><td>\($0)</td><td>\($1)</td></tr>" }
        return Self.page(
            model: model,
            data: data,
            body: """
                <table>\(summary.joined(separator: "\n"))</table>
                <table><tr><th>class</th><th>support</th><th>precision</th><th>recall</th><th>F1</th>
                <th>most frequent mistake</th></tr>
                \(scores.enumerated().map(row).joined(separator: "\n"))
                </table>
                <p>Balanced accuracy is the mean recall of the classes that have images; macro F1 is the mean F1 of the classes
                that have images or predictions.</p>
                <img src="confusion.png" alt="confusion matrix"><img src="calibration.png" alt="calibration">
                """
        )
    }

    /// A whole page.
    ///
    /// - Parameters:
    ///   - model: The checkpoint.
    ///   - data: The data.
    ///   - body: What stands below the heading, as HTML.
    /// - Returns: The page.
    static func page(model: String, data: String, body: String) -> String {
        let (modelName, dataName) = (MarkupText.escaped(model), MarkupText.escaped(data))
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8">
            <meta name="viewport" content="width=device-width,initial-scale=1">
            <title>Evaluation of \(modelName)</title><style>\(style)</style></head><body>
            <h1>Evaluation of \(modelName)</h1><p>Data: \(dataName)</p>
            \(body)
            </body></html>

            """
    }

    private func row(_ place: Int, _ score: ClassScore) -> String {
        let mistake = confusion.mostFrequentMistake(of: place).map {
            "\(MarkupText.escaped(name($0.place))) (\($0.count))"
        }
        let cells =
            [MarkupText.escaped(name(place)), "\(score.support)"]
            + [score.precision, score.recall, score.f1].map { $0.map(percent) ?? "" }
            + [mistake ?? ""]
        return "<tr>" + cells.map { "<td>\($0)</td>" }.joined() + "</tr>"
    }

    private func percent(_ share: Double) -> String { String(format: "%.2f %%", share * 100) }
}
