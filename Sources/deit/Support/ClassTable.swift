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
        lines(
            names,
            ["precision", "recall", "F1", "support"],
            scores.map {
                [$0.precision, $0.recall, $0.f1].map(percent) + ["\($0.support)"]
            }
        )
    }

    /// The lines of a table with other columns.
    ///
    /// - Parameters:
    ///   - names: The names of the classes.
    ///   - columns: What each number is.
    ///   - rows: The numbers of each class, as many as columns.
    /// - Returns: The lines, an empty one first; none where there are too many classes.
    static func lines(_ names: [String], _ columns: [String], _ rows: [[String]]) -> [String] {
        guard rows.count <= limit, rows.count == names.count else { return [] }
        let width = max(5, names.map(\.count).max() ?? 0)
        func line(_ name: String, _ cells: [String]) -> String {
            name + String(repeating: " ", count: max(0, width - name.count))
                + cells.map { String(repeating: " ", count: max(0, 11 - $0.count)) + $0 }.joined()
        }
        return ["", line("class", columns)] + zip(names, rows).map(line)
    }

    /// A share in per cent; a hyphen where it is not defined.
    static func percent(_ share: Double?) -> String {
        share.map { String(format: "%.2f %%", $0 * 100) } ?? "-"
    }
}
