import ImagePipeline
import Storage

/// Columns of a list that stand for a class each: 1 where an image has it, 0 or nothing where it has not.
///
/// A column is a class where each of its cells is 0, 1, -1 or empty, and one at least is 0 or 1; others, such as an age or a
/// place, are left out. CheXpert's -1, a finding that is uncertain, counts as 0.
///
/// ## Source
/// Kaggle's multi-label lists; Irvin et al., "CheXpert" (arXiv:1901.07031), section 3, "U-Zeros".
struct ClassMarks {
    private let columns: [String]
    private var isClass: [Bool]
    private var hasNumber: [Bool]
    private var uncertain: [Int]
    /// The rows with a 1, of each column.
    private var rows: [[Int]]
    private var count = 0

    init(_ columns: [String]) {
        self.columns = columns
        isClass = columns.map { _ in true }
        hasNumber = columns.map { _ in false }
        uncertain = columns.map { _ in 0 }
        rows = columns.map { _ in [] }
    }

    /// Adds a row.
    mutating func add(_ cells: [String]) {
        for (column, cell) in cells.enumerated() where isClass[column] {
            let text = cell.trimmed
            guard !text.isEmpty else { continue }
            switch Double(text) {
            case 0: hasNumber[column] = true
            case 1:
                hasNumber[column] = true
                rows[column].append(count)
            case -1: uncertain[column] += 1
            default: isClass[column] = false
            }
        }
        count += 1
    }

    private var used: [Int] { columns.indices.filter { isClass[$0] && hasNumber[$0] } }

    /// The columns that are classes.
    var names: [String] { used.map { columns[$0] } }

    /// The classes of each row.
    var classes: [[String]] {
        var classes = [[String]](repeating: [], count: count)
        for column in used { for row in rows[column] { classes[row].append(columns[column]) } }
        return classes
    }

    /// What was left out, one sentence each.
    var notes: [String] {
        let used = Set(used)
        let others = columns.indices.filter { !used.contains($0) }.map { columns[$0] }
        let cells = used.reduce(0) { $0 + uncertain[$1] }
        return
            (others.isEmpty
            ? [] : ["columns with other cells than 0 and 1 are not classes: \(listed(others))"])
            + (cells == 0
                ? []
                : [
                    "\(counted(cells, "cell")) of -1 (uncertain) \(cells == 1 ? "counts" : "count") as 0"
                ])
    }
}
