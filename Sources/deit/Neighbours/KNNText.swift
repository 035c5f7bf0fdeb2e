import Checkpoints
import Evaluation
import Foundation
import Inference
import Storage
import Training

/// Measurements of features for people.
enum KNNText {
    /// The accuracy for each number of neighbours.
    static func table(_ report: KNNReport) -> String {
        var lines = ["    k    top-1     top-5"]
        for row in report.accuracies {
            lines.append(
                String(format: "%5d  %6.2f %%  %6.2f %%", row.k, row.top1 * 100, row.top5 * 100)
            )
        }
        lines.append(
            "\(report.count) images against \(report.bankCount) of \(report.classCount) classes, "
                + "\(report.width) values each; searched in "
                + String(format: "%.2f s", report.searchSeconds)
        )
        if report.leftOut > 0 {
            lines.append(
                "\(report.leftOut) of the \(report.count) are also among the \(report.bankCount); an image does not vote for itself"
            )
        }
        return lines.joined(separator: "\n")
    }

    /// Prints the table or one JSON object, and tells where fewer neighbours voted than were requested.
    static func print(_ report: KNNReport, json: Bool) throws {
        tellClamped(report)
        try Results.print(json ? report.json.text(isIndented: false) : table(report))
    }

    private static func tellClamped(_ report: KNNReport) {
        guard let row = report.accuracies.last(where: { $0.used < $0.k }) else { return }
        StatusLine.note(
            "only \(row.used) images can vote"
        )
    }

    static func table(_ report: LinearProbeReport) -> String {
        func percent(_ name: String, _ share: Double) -> String {
            name + String(format: "%6.2f %%", share * 100)
        }
        var lines = [
            percent("top-1              ", report.top1),
            percent("top-5              ", report.top5),
            percent("top-1, training    ", report.trainTop1),
            "\(report.count) images, trained on \(report.trainCount) of \(report.classCount) classes, "
                + "\(report.width) values each, \(report.iterations) steps",
        ]
        if report.sharedCount > 0 {
            lines.append(
                "\(report.sharedCount) of the \(report.count) are also among the \(report.trainCount), so top-1 is too high: "
                    + "evaluate other images"
            )
        }
        return lines.joined(separator: "\n")
    }
}
