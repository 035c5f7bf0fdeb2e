import Evaluation
import Foundation
import Inference

/// How well a model predicts several labels an image, as a table on the terminal.
enum MultiLabelTable {
    /// The numbers of all images and, where there are not too many, of each class.
    ///
    /// - Parameters:
    ///   - report: What was measured.
    ///   - names: The names of the data's classes.
    /// - Returns: The lines.
    static func text(_ report: MultiLabelReport, _ names: [String]) -> String {
        let (scores, classScores) = (report.scores, report.classScores)
        var lines = [
            "mAP                \(percent(scores.meanAveragePrecision))  \(scores.count) images"
        ]
        if let cls = report.clsMeanAveragePrecision {
            lines.append("class head         \(percent(cls))")
        }
        if let dist = report.distMeanAveragePrecision {
            lines.append("distillation head  \(percent(dist))")
        }
        lines.append("micro AP           \(percent(scores.microAveragePrecision))")
        lines.append("macro F1           \(percent(classScores.macroF1))")
        lines.append("micro F1           \(percent(classScores.microF1))")
        let samples = scores.samplesF1(thresholds: report.thresholds)
        lines.append("samples F1         \(percent(samples))")
        lines.append(String(format: "loss               %6.4f", scores.loss ?? 0))
        lines.append(String(format: "images/s           %6.1f", report.imagesPerSecond))
        let averages = scores.averagePrecisions
        return
            (lines
            + ClassTable.lines(
                names,
                ["AP", "threshold", "precision", "recall", "F1", "support"],
                classScores.enumerated().map { place, score in
                    ([
                        averages[place], report.thresholds[place], score.precision, score.recall,
                        score.f1,
                    ] as [Double?]).map(ClassTable.percent) + ["\(score.support)"]
                }
            )).joined(separator: "\n")
    }

    private static func percent(_ share: Double?) -> String {
        share.map { String(format: "%6.2f %%", $0 * 100) } ?? "     -"
    }
}
