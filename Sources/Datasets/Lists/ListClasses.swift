import ImagePipeline
import Storage

/// The classes in lists, numbered.
struct ListClasses {
    let names: [String]
    let labels: [Int32]

    /// Numbers the classes of rows.
    ///
    /// Names are numbered in the order of their code points, or in that of the numbers next to them. Labels that are
    /// all integers are numbered in their order; where the folder has a `classes.txt`, they are places in it.
    ///
    /// - Parameters:
    ///   - rows: The rows.
    ///   - folder: Where a `classes.txt` may lie.
    ///   - path: The list, for errors.
    /// - Throws: ``DatasetError/badList(path:detail:)`` when numbers and names contradict each other.
    init(_ rows: ListRows, folder: String, path: String) throws(DatasetError) {
        if rows.hasNames, rows.numbers.allSatisfy({ $0 != nil }) {
            try self.init(rows, orderedBy: rows.numbers.compactMap { $0 }, path: path)
            return
        }
        let distinct = ClassNames.distinct(rows.classes + rows.declared)
        let integers = distinct.compactMap { name in Int(name).map { (name, $0) } }
        if !rows.hasNames, integers.count == distinct.count {
            let listed = try ClassFile.names(in: folder)
            let numbers = Dictionary(integers) { first, _ in first }
            try self.init(rows, integers: numbers, listed, path)
            return
        }
        self.init(names: distinct, of: rows.classes)
    }

    private init(names: [String], of classes: [String]) {
        self.names = names
        let places = ClassNames.places(names)
        labels = classes.map { Int32(places[$0] ?? 0) }
    }

    /// Names with numbers that give their order.
    private init(_ rows: ListRows, orderedBy numbers: [Int], path: String) throws(DatasetError) {
        var numberOf: [String: Int] = [:]
        var nameOf: [Int: String] = [:]
        for (name, number) in zip(rows.classes, numbers) {
            let (otherNumber, otherName) = (numberOf[name], nameOf[number])
            guard otherNumber ?? number == number, otherName ?? name == name else {
                throw .badList(
                    path: path,
                    detail: otherName.map { $0 != name } == true
                        ? "it gives the label \(number) to both \(otherName ?? "") and \(name)"
                        : "it gives the class \(name) the labels \(otherNumber ?? 0) and \(number)"
                )
            }
            numberOf[name] = number
            nameOf[number] = name
        }
        self.init(names: nameOf.sorted { $0.key < $1.key }.map(\.value), of: rows.classes)
    }

    /// Labels that are integers.
    private init(
        _ rows: ListRows,
        integers: [String: Int],
        _ listed: (path: String, names: [String])?,
        _ path: String
    ) throws(DatasetError) {
        if let listed {
            for (text, value) in integers where !listed.names.indices.contains(value) {
                throw .badList(
                    path: path,
                    detail:
                        "it has the label \(text), but \(listed.path) has \(listed.names.count) classes, from 0"
                )
            }
            self.init(
                names: listed.names,
                of: rows.classes.map { listed.names[integers[$0] ?? 0] }
            )
            return
        }
        // The same number in two spellings, such as 1 and 01, is one class.
        self.init(
            names: Set(integers.values).sorted().map(String.init),
            of: rows.classes.map { "\(integers[$0] ?? 0)" }
        )
    }
}

/// A file of class names beside data whose labels are numbers.
enum ClassFile {
    /// The names that it may have.
    static let fileNames = ["classes.txt", "class_names.txt", "classnames.txt"]

    /// The names in the first such file of a folder, a line each; nil where there is none.
    static func names(in folder: String) throws(DatasetError) -> (path: String, names: [String])? {
        guard let path = fileNames.lazy.map({ "\(folder)/\($0)" }).first(where: fileExists) else {
            return nil
        }
        return (path, try lines(of: readSetFile(path, limit: 1 << 26), path: path))
    }

    /// The lines of a file of names, without those that are empty.
    static func lines(of bytes: [UInt8], path: String) throws(DatasetError) -> [String] {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .malformed(path: path, detail: "it is not UTF-8")
        }
        let names = text.split(whereSeparator: \.isNewline).map { String($0).trimmed }
            .filter { !$0.isEmpty }
        guard Set(names).count == names.count else {
            throw .malformed(path: path, detail: "it names a class twice")
        }
        return names
    }
}
