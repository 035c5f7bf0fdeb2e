import Storage

/// The classes that a `config.json` of Hugging Face's form names.
///
/// ## Source
/// transformers 5.23, `configuration_utils.py`, `PreTrainedConfig.__post_init__` and `num_labels`: the number of classes is
/// the number of entries of `id2label`, whatever their keys; a `num_labels` that differs replaces the names.
package struct HuggingFaceLabels: Sendable, Equatable {
    /// The number of classes.
    package let count: Int

    /// The names by index; indices may be missing, or beyond the number of classes.
    ///
    /// A null becomes a placeholder.
    package let names: [Int: String]

    /// The classes that have no name, in a file that names others.
    package let unnamed: [Int]

    /// Whether the file says how many classes there are; transformers takes 2 for granted.
    package let isCountStated: Bool

    /// Reads the names.
    ///
    /// - Parameter fields: The file.
    /// - Throws: ``CheckpointError`` for keys that are not whole numbers, or a count out of range.
    package init(_ fields: JSONFields) throws(CheckpointError) {
        let stated = fields.value("num_labels") == nil ? nil : try fields.int("num_labels")
        guard (0...1_000_000).contains(stated ?? 0) else {
            throw fields.malformed("num_labels", "is out of range")
        }
        guard let texts = try fields.object("id2label")?.object else {
            (count, names, unnamed, isCountStated) = (stated ?? 2, [:], [], stated != nil)
            return
        }
        var names: [Int: String] = [:]
        var named: Set<Int> = []
        for key in texts.keys {
            guard let index = Self.index(key) else {
                throw fields.malformed(
                    "id2label",
                    "has the key \"\(key)\", which is not a whole number"
                )
            }
            let value = texts[key] ?? .null
            names[index] = Self.name(value, index)
            if value != .null { named.insert(index) }
        }
        let differs = stated.map { $0 != names.count } ?? false
        count = stated ?? names.count
        self.names = differs ? [:] : names
        unnamed = self.names.isEmpty ? [] : (0..<count).filter { !named.contains($0) }
        isCountStated = stated != nil || !names.isEmpty
    }

    /// The name of a class that the file does not name.
    package static func placeholder(_ index: Int) -> String { "LABEL_\(index)" }

    /// The names in the order of the outputs.
    var ordered: [String] { (0..<count).map { names[$0] ?? Self.placeholder($0) } }

    /// A whole number as Python's `int` reads it.
    private static func index(_ key: String) -> Int? {
        Int(key) ?? Int(key.filter { !$0.isWhitespace && $0 != "_" })
    }

    private static func name(_ value: JSONValue, _ index: Int) -> String {
        if value == .null { return placeholder(index) }
        return value.stringValue ?? value.text(isIndented: false)
    }
}
