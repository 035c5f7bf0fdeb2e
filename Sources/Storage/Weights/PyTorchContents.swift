/// The contents of a PyTorch file without the elements of its tensors.
package struct PyTorchContents {
    package let choice: StateDictChoice
    package let table: PyTorchTable
    package let metadata: [String: String]
    package let arguments: [String: String]

    /// Reads a file of either kind.
    ///
    /// - Throws: ``StorageError`` as `PyTorchFile.init(path:stateDict:)`.
    package init(_ source: any ByteSource, stateDict: String?) throws(StorageError) {
        let container: PyTorchContainer =
            switch WeightsKind(source: source, head: try WeightsKind.head(of: source)) {
            case .zip: try .zip(source)
            case .legacyPyTorch: try .legacy(source)
            case let other: throw other.error(source) ?? Self.foreign(source)
            }
        try self.init(container, source, stateDict: stateDict)
    }

    package init(
        _ container: PyTorchContainer,
        _ source: any ByteSource,
        stateDict: String?
    ) throws(StorageError) {
        choice = try StateDictChoice(stateDict, in: container, file: source.path)
        table = try PyTorchTable(choice.dictionary, in: container, source)
        (metadata, arguments) = Self.beside(container)
    }

    private static func foreign(_ source: any ByteSource) -> StorageError {
        .malformed(file: source.path, reason: "it is not a PyTorch file")
    }

    /// The plain values of the outermost dictionary, and the attributes of its first Namespace.
    private static func beside(
        _ container: PyTorchContainer
    ) -> (metadata: [String: String], arguments: [String: String]) {
        var metadata: [String: String] = [:]
        var arguments: [String: String] = [:]
        guard case .dictionary(let root) = container.root else { return ([:], [:]) }
        let pairs = container.heap.dictionaries[root]
        for (index, key) in pairs.keys.enumerated() {
            guard let name = key.stringValue else { continue }
            if case .namespace(let place) = pairs.values[index], arguments.isEmpty {
                let attributes = container.heap.dictionaries[place]
                for (index, key) in attributes.keys.enumerated() {
                    guard let name = key.stringValue else { continue }
                    arguments[name] = text(attributes.values[index], container.heap, depth: 0)
                }
            } else if let text = plainText(pairs.values[index]) {
                metadata[name] = text
            }
        }
        return (metadata, arguments)
    }

    private static func plainText(_ value: PickleValue) -> String? {
        switch value {
        case .bool(let value): value ? "True" : "False"
        case .integer(let number): "\(number)"
        case .number(let number): "\(number)"
        case .string(let text): text.count > 1000 ? text.prefix(1000) + "…" : text
        default: nil
        }
    }

    /// A value as Python would show it, as far as it is useful for reading settings.
    private static func text(_ value: PickleValue, _ heap: PickleHeap, depth: Int) -> String {
        if let plain = plainText(value) { return plain }
        switch value {
        case .none: return "None"
        case .list(let place), .tuple(let place):
            guard depth < 3 else { return "…" }
            let items = heap.lists[place].prefix(20).map { text($0, heap, depth: depth + 1) }
            let more = heap.lists[place].count > 20 ? ", …" : ""
            return "[" + items.joined(separator: ", ") + more + "]"
        default: return value.kind
        }
    }
}
