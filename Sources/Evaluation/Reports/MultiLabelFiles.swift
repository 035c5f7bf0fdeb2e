public import Datasets
import Foundation
import Inference
import Storage

/// A report on images with any number of labels as files, for people and programs.
///
/// ```
/// report.html       the numbers of all images and of each class
/// report.json       every number
/// per-class.csv     a line for each class
/// predictions.csv   a line for each image: its classes, and those predicted with their probabilities
/// ```
public struct MultiLabelFiles {
    private let report: MultiLabelReport
    private let dataset: any ImageDataset
    private let model: String
    private let data: String

    /// Prepares the files.
    ///
    /// - Parameters:
    ///   - report: What was measured.
    ///   - dataset: The images that were measured.
    ///   - model: The checkpoint, as the user named it.
    ///   - data: The data, as the user named it.
    public init(
        _ report: MultiLabelReport,
        dataset: any ImageDataset,
        model: String,
        data: String
    ) {
        self.report = report
        self.dataset = dataset
        self.model = model
        self.data = data
    }

    /// Writes the files.
    ///
    /// - Parameter folder: The folder, which exists.
    /// - Throws: `StorageError` where a file cannot be written.
    public func write(to folder: String) throws {
        func write(_ text: String, _ name: String) throws {
            try AtomicFile.write(text.utf8, to: "\(folder)/\(name)")
        }
        var object: JSONObject = ["model": .string(model), "data": .string(data)]
        object.merge(report.json(classNames: names).objectValue ?? [:])
        try write(JSONValue.object(object).text() + "\n", "report.json")
        try write(page, "report.html")
        try write(perClass, "per-class.csv")
        try write(predictions, "predictions.csv")
    }

    private var names: [String] { dataset.classNames }

    private var perClass: String {
        let averages = report.scores.averagePrecisions
        let heading = [
            "class", "support", "predicted", "right", "average_precision", "threshold", "precision",
            "recall", "f1",
        ]
        let lines = report.classScores.enumerated().map { place, score in
            [
                names[place], "\(score.support)", "\(score.predicted)", "\(score.right)",
                text(averages[place]), text(report.thresholds[place]), text(score.precision),
                text(score.recall), text(score.f1),
            ].csvLine
        }
        return ([heading.csvLine] + lines).joined(separator: "\n") + "\n"
    }

    private var predictions: String {
        let separator = LabelFormat.usualSeparator
        let lines = report.indices.enumerated().map { place, index in
            let found = report.scores.decisions(of: place, thresholds: report.thresholds)
            return [
                dataset.name(at: index),
                found.labels.map { names[$0] }.joined(separator: separator),
                found.predicted.map { names[$0.label] }.joined(separator: separator),
                found.predicted.map { text($0.probability) }.joined(separator: separator),
            ].csvLine
        }
        return ([["file", "labels", "predictions", "probabilities"].csvLine] + lines)
            .joined(separator: "\n") + "\n"
    }

    private var page: String {
        let classScores = report.classScores
        let averages = report.scores.averagePrecisions
        let summary = [
            ("mAP", percent(report.scores.meanAveragePrecision)),
            ("micro AP", percent(report.scores.microAveragePrecision)),
            ("macro F1", percent(classScores.macroF1)), ("micro F1", percent(classScores.microF1)),
            ("samples F1", percent(report.scores.samplesF1(thresholds: report.thresholds))),
            ("loss", report.scores.loss.map { String(format: "%.4f", $0) } ?? ""),
            ("images", "\(report.scores.count)"),
        ].map { "<tr><td>\($0)</td><td>\($1)</td></tr>" }
        let rows = classScores.enumerated().map { place, score in
            let cells =
                [MarkupText.escaped(names[place]), "\(score.support)", percent(averages[place])]
                + [report.thresholds[place], score.precision, score.recall, score.f1].map(percent)
            return "<tr>" + cells.map { "<td>\($0)</td>" }.joined() + "</tr>"
        }
        let thresholds =
            report.hasOwnThresholds
            ? "the model's, chosen for the highest F1 on its validation images" : "50 %"
        return EvaluationPage.page(
            model: model,
            data: data,
            body: """
                <table>\(summary.joined(separator: "\n"))</table>
                <table><tr><th>class</th><th>support</th><th>average precision</th><th>threshold</th><th>precision</th>
                <th>recall</th><th>F1</th></tr>
                \(rows.joined(separator: "\n"))
                </table>
                <p>mAP is the mean average precision of the classes that have images. A class is predicted where its
                probability reaches its threshold; the thresholds are \(thresholds).</p>
                """
        )
    }

    private func text(_ value: Double?) -> String {
        value.map { String(format: "%.6f", $0) } ?? ""
    }

    private func percent(_ share: Double?) -> String {
        share.map { String(format: "%.2f %%", $0 * 100) } ?? ""
    }
}
