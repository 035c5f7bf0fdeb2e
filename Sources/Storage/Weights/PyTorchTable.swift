/// The tensors of a state dict, each checked to lie inside its storage and that inside the file.
package struct PyTorchTable {
    /// A tensor and where its elements are.
    package struct Entry {
        package let tensor: ArchivedTensor
        package let layout: StridedLayout
    }

    package let entries: [Entry]
    package let notes: [String]

    /// Checks all tensors of a dictionary.
    ///
    /// - Parameters:
    ///   - dictionary: The place of the state dict in the container's heap.
    ///   - container: The file taken apart.
    ///   - source: The file.
    /// - Throws: ``StorageError`` with the tensor that is wrong.
    package init(
        _ dictionary: Int,
        in container: PyTorchContainer,
        _ source: any ByteSource
    ) throws(StorageError) {
        let pairs = container.heap.dictionaries[dictionary]
        var entries: [Entry] = []
        var names: Set<String> = []
        var ignored: [String] = []
        for (index, key) in pairs.keys.enumerated() {
            guard case .tensor(let place) = pairs.values[index], let name = key.stringValue else {
                ignored.append(key.stringValue ?? key.kind)
                continue
            }
            guard names.insert(name).inserted else {
                throw StorageError.malformed(
                    file: source.path,
                    reason: "tensor \(name) occurs twice"
                )
            }
            let tensor = container.heap.tensors[place]
            entries.append(try Self.entry(name, tensor, container, source))
        }
        self.entries = entries
        let shown = ignored.prefix(8).map { String($0.prefix(40)) }.joined(separator: ", ")
        notes =
            ignored.isEmpty
            ? []
            : [
                "\(ignored.count) other entries were ignored: "
                    + shown + (ignored.count > 8 ? ", …" : "")
            ]
    }

    private static func entry(
        _ name: String,
        _ tensor: PickleTensor,
        _ container: PyTorchContainer,
        _ source: any ByteSource
    ) throws(StorageError) -> Entry {
        let storage = container.heap.storages[tensor.storage]
        let range = try container.range(of: storage, file: source.path)
        guard
            let layout = StridedLayout(
                shape: tensor.shape,
                strides: tensor.strides,
                offset: tensor.offset,
                elementSize: tensor.dtype.byteSize,
                in: range
            )
        else {
            throw StorageError.malformed(
                file: source.path,
                reason: "tensor \(name) of shape \(tensor.shape), strides \(tensor.strides) and "
                    + "offset \(tensor.offset) does not lie inside its storage of \(range.count) bytes"
            )
        }
        // A stride of 0 repeats elements, and a small file could fill any memory with them.
        guard layout.byteCount <= max(source.count, 64 << 20) else {
            throw StorageError.unsupported(
                file: source.path,
                reason: "tensor \(name) repeats its elements to \(layout.byteCount) bytes, "
                    + "more than the file has"
            )
        }
        return Entry(
            tensor: ArchivedTensor(name: name, dtype: tensor.dtype, shape: tensor.shape),
            layout: layout
        )
    }
}
