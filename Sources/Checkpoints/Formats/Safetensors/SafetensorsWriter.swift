public import Storage

/// Writing of safetensors files, tensor by tensor, so that never more than one is held twice.
public enum SafetensorsWriter {
    /// Writes a file aside, brings it to the disk and gives it its name.
    ///
    /// The header's keys are sorted and it is padded with spaces to a multiple of 8 bytes. The data
    /// come in order of falling element size and then by name, so that every tensor begins at a
    /// multiple of its element size: readers that map the file rely on it.
    ///
    /// - Parameters:
    ///   - tensors: The tensors, in any order.
    ///   - metadata: Texts for `__metadata__`; transformers requires `["format": "pt"]`.
    ///   - path: The file, in a folder that exists.
    ///   - provide: A closure that is called once for each tensor, with its description and the sink,
    ///     and writes its bytes: little-endian, row-major, exactly as many as its shape needs.
    /// - Throws: ``CheckpointError``; the file that was there before is then as it was.
    public static func write(
        _ tensors: [ArchivedTensor],
        metadata: [String: String] = [:],
        to path: String,
        provide: (ArchivedTensor, FileSink) throws(CheckpointError) -> Void
    ) throws(CheckpointError) {
        let ordered = tensors.sorted {
            ($1.dtype.byteSize, $0.name) < ($0.dtype.byteSize, $1.name)
        }
        let (header, sizes) = try header(ordered, metadata: metadata, path: path)
        try AtomicFile.write(to: path) { sink throws(CheckpointError) in
            try CheckpointError.of(try sink.write(header))
            for (index, tensor) in ordered.enumerated() {
                let start = sink.count
                try provide(tensor, sink)
                guard sink.count - start == sizes[index] else {
                    throw CheckpointError.tensor(
                        name: tensor.name,
                        reason: "of shape \(tensor.shape) and type \(tensor.dtype.rawValue) has "
                            + "\(sizes[index]) bytes, but \(sink.count - start) were given"
                    )
                }
            }
        }
    }

    private static func header(
        _ tensors: [ArchivedTensor],
        metadata: [String: String],
        path: String
    ) throws(CheckpointError) -> (bytes: [UInt8], sizes: [Int]) {
        var values: [String: JSONValue] = [:]
        var sizes: [Int] = []
        var offset = 0
        for tensor in tensors {
            guard tensor.name != "__metadata__", values[tensor.name] == nil else {
                throw CheckpointError.tensor(name: tensor.name, reason: "the name occurs twice")
            }
            guard tensor.shape.allSatisfy({ $0 >= 0 }),
                let size = SafetensorsHeader.byteCount(shape: tensor.shape, dtype: tensor.dtype),
                case (let end, let overflow) = offset.addingReportingOverflow(size), !overflow
            else {
                throw CheckpointError.tensor(
                    name: tensor.name,
                    reason: "the shape \(tensor.shape) is too large for a file"
                )
            }
            values[tensor.name] = [
                "dtype": .string(tensor.dtype.rawValue),
                "shape": .array(tensor.shape.map(JSONValue.integer)),
                "data_offsets": [.integer(offset), .integer(end)],
            ]
            sizes.append(size)
            offset = end
        }
        var object = JSONObject()
        if !metadata.isEmpty {
            var texts = JSONObject()
            for key in metadata.keys.sorted() { texts[key] = .string(metadata[key] ?? "") }
            object["__metadata__"] = .object(texts)
        }
        for name in values.keys.sorted() { object[name] = values[name] }
        var json = Array(JSONValue.object(object).text(isIndented: false).utf8)
        while json.count % 8 != 0 { json.append(UInt8(ascii: " ")) }
        guard json.count <= SafetensorsHeader.maximumSize else {
            throw CheckpointError.unwritable(
                path: path,
                reason: "its header would have \(json.count) bytes"
            )
        }
        let length = (0..<8).map { UInt8(truncatingIfNeeded: json.count >> ($0 * 8)) }
        return (length + json, sizes)
    }
}
