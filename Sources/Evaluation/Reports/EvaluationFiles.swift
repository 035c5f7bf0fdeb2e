public import Checkpoints
public import Datasets
import Foundation
import ImagePipeline
import Inference
import Storage

/// A report as files, for people and programs.
///
/// ```
/// report.html       the numbers of all images and of each class, and both pictures
/// report.json       every number: top-1, top-5, loss, calibration, heads, classes
/// per-class.csv     a line for each class
/// confusion.csv     a line for each right class, a column for each predicted one
/// predictions.csv   a line for each image
/// confusion.png     the shares of each right class
/// calibration.png   accuracy by confidence
/// ```
public struct EvaluationFiles {
    private let report: EvaluationReport
    private let dataset: any ImageDataset
    private let labels: ClassLabels
    private let model: String
    private let data: String

    /// Prepares the files.
    ///
    /// - Parameters:
    ///   - report: What was measured.
    ///   - dataset: The images that were measured.
    ///   - labels: What the model's classes are called.
    ///   - model: The checkpoint, as the user named it.
    ///   - data: The data, as the user named it.
    public init(
        _ report: EvaluationReport,
        dataset: any ImageDataset,
        labels: ClassLabels,
        model: String,
        data: String
    ) {
        self.report = report
        self.dataset = dataset
        self.labels = labels
        self.model = model
        self.data = data
    }

    /// Creates the folder, and those above it, before the work starts.
    ///
    /// - Parameter folder: The folder; files that are there are replaced.
    /// - Throws: `CheckpointError` where it cannot be created.
    public static func prepare(_ folder: String) throws(CheckpointError) {
        do {
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true
            )
        } catch {
            throw .unwritable(path: folder, reason: "the folder cannot be created")
        }
    }

    /// Writes the files.
    ///
    /// - Parameter folder: The folder, which exists.
    /// - Throws: `StorageError` where a file cannot be written.
    public func write(to folder: String) throws {
        func write(_ text: String, _ name: String) throws {
            try AtomicFile.write(text.utf8, to: "\(folder)/\(name)")
        }
        let confusion = report.confusion
        try write(json(confusion).text() + "\n", "report.json")
        let page = EvaluationPage(
            model: model,
            data: data,
            report: report,
            confusion: confusion,
            name: name
        )
        try write(page.html, "report.html")
        try write(perClass(confusion), "per-class.csv")
        try write(confusionTable(confusion), "confusion.csv")
        try write(predictions, "predictions.csv")
        let sheet = MatrixChart(
            title:
                "\(report.count) images, top-1 \(percent(report.top1)) %: rows: true class, columns: predicted class",
            rows: names,
            columns: names + (confusion.hasOthers ? ["(other)"] : []),
            counts: confusion.counts.map { confusion.hasOthers ? $0 : $0.dropLast() }
        )
        try AtomicFile.write(try sheet.drawn().encodedPNG(), to: folder + "/confusion.png")
        let diagram = ReliabilityChart(calibration: report.calibration)
        try AtomicFile.write(try diagram.drawn().encodedPNG(), to: folder + "/calibration.png")
    }

    /// The data's classes.
    private var names: [String] { dataset.classNames }

    private func name(_ place: Int) -> String {
        names.indices.contains(place) ? names[place] : "(other)"
    }

    /// What a class of the model is called: by the data where it has the class.
    private func name(ofModelClass index: Int?) -> String {
        guard let index else { return "" }
        if let place = report.classes.firstIndex(of: index) { return name(place) }
        return labels.names.indices.contains(index) ? labels.names[index] : "\(index)"
    }

    private func json(_ confusion: ConfusionMatrix) -> JSONValue {
        let calibration = report.calibration
        var object: JSONObject = ["model": .string(model), "data": .string(data)]
        object.merge(report.scalars)
        object["largest_calibration_error"] = .number(calibration.largestError)
        if let heads = report.headAgreement {
            object["heads"] = [
                "same": .integer(heads.same), "both_right": .integer(heads.bothRight),
                "only_cls_right": .integer(heads.onlyCls),
                "only_dist_right": .integer(heads.onlyDist),
                "neither_right": .integer(heads.neither),
            ]
        }
        object["calibration"] = .array(
            calibration.bins.map { bin in
                [
                    "lower": .number(bin.lower), "upper": .number(bin.upper),
                    "count": .integer(bin.count), "confidence": .number(bin.confidence),
                    "accuracy": .number(bin.accuracy),
                ]
            }
        )
        object["classes"] = report.classes(named: names, confusion)
        return .object(object)
    }

    private func perClass(_ confusion: ConfusionMatrix) -> String {
        let hasHeads = report.headAgreement != nil
        var lines = [
            ([
                "class", "support", "predicted", "right", "precision", "recall", "f1",
                "mistaken_for", "times",
            ]
                + (hasHeads ? ["cls_recall", "dist_recall"] : [])).csvLine
        ]
        let byLabel = Dictionary(grouping: report.outcomes, by: \.label)
        for (place, score) in confusion.classScores.enumerated() {
            let mistake = confusion.mostFrequentMistake(of: place)
            var cells = [
                name(place), "\(score.support)", "\(score.predicted)", "\(score.right)",
                text(score.precision), text(score.recall), text(score.f1),
                mistake.map { name($0.place) } ?? "", mistake.map { "\($0.count)" } ?? "",
            ]
            if hasHeads {
                let own = byLabel[report.classes[place]] ?? []
                let number = Double(max(own.count, 1))
                let cls = own.count { $0.heads?.cls == $0.label }
                let dist = own.count { $0.heads?.dist == $0.label }
                cells += [cls, dist].map { own.isEmpty ? "" : text(Double($0) / number) }
            }
            lines.append(cells.csvLine)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func confusionTable(_ confusion: ConfusionMatrix) -> String {
        var lines = [(["class"] + names + ["(other)"]).csvLine]
        for (place, counts) in confusion.counts.enumerated() {
            lines.append(([name(place)] + counts.map(String.init)).csvLine)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var predictions: String {
        let hasHeads = report.headAgreement != nil
        var lines = [
            (["file", "class", "prediction", "confidence", "right", "rank"]
                + (hasHeads ? ["cls_prediction", "dist_prediction"] : [])).csvLine
        ]
        for outcome in report.outcomes {
            var cells = [
                dataset.name(at: outcome.index), name(ofModelClass: outcome.label),
                name(ofModelClass: outcome.prediction), text(outcome.confidence),
                outcome.isRight ? "1" : "0", "\(outcome.rank + 1)",
            ]
            if hasHeads {
                cells += [outcome.heads?.cls, outcome.heads?.dist].map(name(ofModelClass:))
            }
            lines.append(cells.csvLine)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func text(_ value: Double?) -> String {
        value.map { String(format: "%.6f", $0) } ?? ""
    }

    private func percent(_ share: Double) -> String { String(format: "%.2f", share * 100) }
}
