import Storage

/// The images and labels of one of CIFAR's files.
struct CIFARBatch {
    /// Red, green and blue planes of each image, one image after the other.
    let pixels: [UInt8]
    let labels: [UInt8]

    /// Takes a binary file apart: records of one or two labels and an image.
    ///
    /// - Parameters:
    ///   - bytes: The file.
    ///   - labelBytes: The labels of a record.
    ///   - label: Which of them counts.
    ///   - path: The file's name, for errors.
    /// - Throws: ``DatasetError/malformed(path:detail:)`` when the file is cut short.
    init(binary bytes: [UInt8], labelBytes: Int, label: Int, path: String) throws(DatasetError) {
        let record = labelBytes + CIFARDataset.image
        guard !bytes.isEmpty, bytes.count % record == 0 else {
            throw .malformed(
                path: path,
                detail:
                    "its \(bytes.count) bytes are not a multiple of the record size \(record); it may be cut short"
            )
        }
        let count = bytes.count / record
        labels = (0..<count).map { bytes[$0 * record + label] }
        pixels = [UInt8](unsafeUninitializedCapacity: count * CIFARDataset.image) {
            buffer,
            filled in
            bytes.withUnsafeBufferPointer { bytes in
                for place in 0..<count {
                    let from = place * record + labelBytes
                    let to = place * CIFARDataset.image
                    for sample in 0..<CIFARDataset.image {
                        buffer[to + sample] = bytes[from + sample]
                    }
                }
            }
            filled = count * CIFARDataset.image
        }
    }

    /// Takes a pickled dictionary apart: an array `data` and a list of labels.
    ///
    /// - Parameters:
    ///   - bytes: The file.
    ///   - key: The key of the labels.
    ///   - path: The file's name, for errors.
    /// - Throws: ``DatasetError/malformed(path:detail:)`` when the file holds something else.
    init(pickle bytes: [UInt8], key: String, path: String) throws(DatasetError) {
        let contents = try DatasetError.of(
            try PickleContents(MemorySource(bytes, path: path), for: .dataSet)
        )
        guard let data = contents.array(contents["data"]) else {
            throw .malformed(path: path, detail: "it has no array \"data\"")
        }
        guard let numbers = contents.integers(contents[key]) else {
            throw .malformed(path: path, detail: "it has no list \"\(key)\"")
        }
        let count = numbers.count
        guard data.type == "u1", data.shape == [count, CIFARDataset.image], count > 0,
            data.bytes.count == count * CIFARDataset.image
        else {
            throw .malformed(
                path: path,
                detail:
                    "its array of \(data.shape) in \(data.bytes.count) bytes does not fit its \(count) labels"
            )
        }
        if let wrong = numbers.first(where: { !(0..<256).contains($0) }) {
            throw .malformed(path: path, detail: "it has the label \(wrong)")
        }
        labels = numbers.map { UInt8($0) }
        guard data.isColumnMajor else {
            pixels = data.bytes
            return
        }
        pixels = [UInt8](unsafeUninitializedCapacity: data.bytes.count) { buffer, filled in
            data.bytes.withUnsafeBufferPointer { bytes in
                for sample in 0..<CIFARDataset.image {
                    for place in 0..<count {
                        buffer[place * CIFARDataset.image + sample] =
                            bytes[sample * count + place]
                    }
                }
            }
            filled = data.bytes.count
        }
    }
}
