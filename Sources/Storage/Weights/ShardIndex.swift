/// The index of weights in several files: `{"metadata": {…}, "weight_map": {tensor: file}}`.
package struct ShardIndex {
    /// The files, in the order of their names.
    package let files: [String]

    /// The tensors, in the order of the index.
    package let names: [String]

    /// The plain values under `metadata`, such as `total_size`.
    package let metadata: [String: String]

    private let places: [String: Int]

    /// Reads an index.
    ///
    /// - Parameter path: The index.
    /// - Throws: ``StorageError`` when it cannot be read, is not an index, or names a file elsewhere.
    package init(path: String) throws(StorageError) {
        try self.init(try SmallFile.readObject(path), file: path)
    }

    package init(_ object: JSONObject, file path: String) throws(StorageError) {
        guard let map = object["weight_map"]?.objectValue, !map.keys.isEmpty else {
            throw StorageError.malformed(
                file: path,
                reason: "it is JSON without a weight_map, not an index of weights"
            )
        }
        var fileOfName: [String: String] = [:]
        for name in map.keys {
            guard let file = map[name]?.stringValue else {
                throw StorageError.malformed(
                    file: path,
                    reason: "the file name of tensor \(name) is not a string"
                )
            }
            guard Self.isInside(file) else {
                throw StorageError.malformed(
                    file: path,
                    reason: "tensor \(name) would be in \(file.debugDescription), "
                        + "which is outside the directory of the index"
                )
            }
            fileOfName[name] = file
        }
        files = Set(fileOfName.values).sorted()
        names = map.keys
        var fileIndex: [String: Int] = [:]
        for (index, file) in files.enumerated() { fileIndex[file] = index }
        places = fileOfName.compactMapValues { fileIndex[$0] }
        metadata = Self.metadata(object["metadata"]?.objectValue)
    }

    /// The place in ``files`` of a tensor's file; nil where the index does not have the tensor.
    package func file(of name: String) -> Int? { places[name] }

    /// Whether a name stays inside the folder that it is in: neither absolute nor with a way up.
    private static func isInside(_ name: String) -> Bool {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return !name.utf8.contains(0)
            && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    }

    private static func metadata(_ object: JSONObject?) -> [String: String] {
        var metadata: [String: String] = [:]
        for key in object?.keys ?? [] {
            switch object?[key] {
            case .string(let text)?: metadata[key] = text
            case .integer(let number)?: metadata[key] = "\(number)"
            case .number(let number)?: metadata[key] = "\(number)"
            case .bool(let value)?: metadata[key] = "\(value)"
            default: break
            }
        }
        return metadata
    }
}
