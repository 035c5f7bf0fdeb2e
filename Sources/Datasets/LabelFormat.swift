import Storage

/// How the labels of images are written, where data can be read in two ways.
public struct LabelFormat: Sendable, Equatable {
    /// What separates the classes of an image in a cell where nothing else is stated.
    public static let usualSeparator = "|"

    /// Whether an image may have several labels, or none, where the data itself does not say so.
    ///
    /// A list says so by a column `labels` or by columns of 0 and 1 for each class. Of other lists the cells are divided
    /// then, and rows with the same file add up to one image; of class folders, links to one file are one image.
    public var isMultiLabel: Bool

    /// What separates the classes of an image in a cell of a list, not empty.
    public var separator: String

    /// Creates a format.
    ///
    /// - Parameters:
    ///   - isMultiLabel: Whether an image may have several labels, or none, where the data itself does not say so.
    ///   - separator: What separates the classes of an image in a cell of a list, not empty.
    public init(
        isMultiLabel: Bool = false,
        separator: String = LabelFormat.usualSeparator
    ) {
        self.isMultiLabel = isMultiLabel
        self.separator = separator
    }

    /// The classes in a cell, each once, in their order; none in an empty cell.
    func classes(in cell: String) -> [String] {
        // A separator of white space stands for any amount of it.
        let parts =
            separator.trimmed.isEmpty
            ? cell.split(whereSeparator: \.isWhitespace).map(String.init)
            : cell.split(separator: separator, omittingEmptySubsequences: true).map {
                String($0).trimmed
            }
        var seen: Set<String> = []
        return parts.filter { !$0.isEmpty && seen.insert($0).inserted }
    }
}

/// The labels of images that may have several or none, by image.
struct LabelSets: Sendable, Equatable {
    private var ends: [Int] = []
    private var values: [Int32] = []

    /// Adds an image; its labels are kept in ascending order, each once.
    mutating func append(_ labels: some Sequence<Int32>) {
        values += Set(labels).sorted()
        ends.append(values.count)
    }

    /// The labels of an image.
    subscript(index: Int) -> [Int] {
        values[(index == 0 ? 0 : ends[index - 1])..<ends[index]].map(Int.init)
    }

    /// The labels of some of the images, in the order that is given.
    func selecting(_ indices: [Int]) -> LabelSets {
        var sets = LabelSets()
        for index in indices { sets.append(self[index].map(Int32.init)) }
        return sets
    }
}
