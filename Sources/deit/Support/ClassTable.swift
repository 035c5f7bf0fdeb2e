import Foundation
import Inference

/// The scores of the classes as a table on the terminal.
enum ClassTable {
    /// The most classes that are shown one by one; with more, `--json` and `--report` have them.
    private static let limit = 50

    /// The lines of the table, an empty one first; none where there are too many classes.
    ///
    /// - Parameters:
    ///   - scores: The scores.
    ///   - names: The names of the classes.
    /// - Returns: The lines.
    static func lines(_ scores: [ClassScore], _ names: [String]) -> [String] {
        guard scores.count <= limit, scores.count == names.count else { return [] }
        let width = max(5, names.map(\.count).max() ?? 0)
        func line(_ name: String, _ cells: [String]) -> String {
            name + String(repeating: " ", count: max(0, width - name.count))
                + cells.map { String(repeating: " ", count: max(0, 11 - $0.count)) + $0 }.joined()
        }
        func percent(_ share: Double?) -> String {
            share.map { String(format: "%.2f %%", $0 * 100) } ?? "-"
        }
        return ["", line("class", ["precision", "recall", "F1", "support"])]
            + zip(names, scores).map { name, score in
                line(
                    name,
                    [score.precision, score.recall, score.f1].map(percent) + ["\(score.support)"]
                )
            }
    }
}
