public import Checkpoints
import Storage

/// A file of features that grows by batches and takes its name when it is whole.
///
/// The numbers wait on the disk, next to the file, so memory does not grow with them; the names of the images are held.
public final class FeatureFile {
    /// What a file of features tells of itself.
    public struct Description: Sendable, Equatable {
        /// The checkpoint that the features are from.
        public var model: String

        /// What was asked of the model.
        public var request: FeatureRequest

        /// The names of the labels' classes; nil where the images have no labels.
        public var classNames: [String]?

        /// Creates a description.
        ///
        /// - Parameters:
        ///   - model: The checkpoint.
        ///   - request: What was asked of the model.
        ///   - classNames: The names of the labels' classes; nil where the images have no labels.
        public init(model: String, request: FeatureRequest, classNames: [String]? = nil) {
            self.model = model
            self.request = request
            self.classNames = classNames
        }
    }

    /// The file.
    public let path: String

    /// The arrays that it gets.
    public let columns: [FeatureColumn]

    /// The images so far.
    public var count: Int { names.count }

    private let format: FeatureFormat
    private let description: Description
    private let scratch: [ScratchFile]
    private var names: [String] = []
    private var labels: [Int] = []

    /// Starts a file.
    ///
    /// - Parameters:
    ///   - path: The file, in a folder that exists; one of that name stays until ``finish()``.
    ///   - format: Its kind.
    ///   - columns: The arrays.
    ///   - description: What the file tells of itself.
    /// - Throws: ``InferenceError/notInFormat(_:)``, `CheckpointError` when nothing can be written there.
    public init(
        path: String,
        format: FeatureFormat,
        columns: [FeatureColumn],
        description: Description
    ) throws {
        try format.check(columns)
        self.path = path
        self.format = format
        self.columns = columns
        self.description = description
        let files = format == .safetensors ? columns.count : 1
        scratch = try (0..<files).map { _ in try ScratchFile(for: path) }
    }

    /// Adds images.
    ///
    /// - Parameters:
    ///   - arrays: For each column the images' numbers, one image after the other.
    ///   - names: The images' names.
    ///   - labels: Their classes, as many.
    /// - Throws: `CheckpointError` when sizes do not fit or the disk is full.
    public func append(
        _ arrays: [[Float]],
        names: [String],
        labels: [Int]
    ) throws(CheckpointError) {
        guard arrays.count == columns.count, labels.count == names.count,
            columns.indices.allSatisfy({ arrays[$0].count == names.count * columns[$0].count })
        else {
            throw .unwritable(path: path, reason: "the features do not have the shape announced")
        }
        switch format {
        case .safetensors:
            for (index, array) in arrays.enumerated() { try append(array[...], to: scratch[index]) }
        case .npy:
            for row in names.indices {
                for (index, column) in columns.enumerated() {
                    try append(
                        arrays[index][(row * column.count)..<((row + 1) * column.count)],
                        to: scratch[0]
                    )
                }
            }
        case .csv:
            for row in names.indices {
                let line = self.line(row, arrays, name: names[row], label: labels[row])
                try Self.append(line, to: scratch[0])
            }
        }
        self.names += names
        self.labels += labels
    }

    /// Writes the file, aside and then under its name.
    ///
    /// - Throws: `CheckpointError`; an older file of that name is then as it was.
    public func finish() throws(CheckpointError) {
        switch format {
        case .safetensors: try finishSafetensors()
        case .npy: try finishNumPy()
        case .csv:
            let header = csvHeader
            try AtomicFile.write(to: path) { sink throws(CheckpointError) in
                try CheckpointError.of(try sink.write(Array(header.utf8)))
                try scratch[0].copy(to: sink)
            }
        }
    }

    private func append(_ values: ArraySlice<Float>, to file: ScratchFile) throws(CheckpointError) {
        // All of this package's platforms are little-endian, as the formats are.
        let result = values.withUnsafeBytes { bytes in
            Result { () throws(CheckpointError) in try file.append(bytes) }
        }
        try result.get()
    }

    private static func append(_ text: String, to file: ScratchFile) throws(CheckpointError) {
        let result = Array(text.utf8).withUnsafeBytes { bytes in
            Result { () throws(CheckpointError) in try file.append(bytes) }
        }
        try result.get()
    }
}

// MARK: - safetensors

extension FeatureFile {
    private func finishSafetensors() throws(CheckpointError) {
        var descriptions = columns.map {
            ArchivedTensor(
                name: $0.name,
                dtype: .float32,
                shape: $0.shape(images: count)
            )
        }
        if description.classNames != nil {
            descriptions.append(.init(name: "labels", dtype: .int64, shape: [count]))
        }
        try SafetensorsWriter.write(descriptions, metadata: metadata, to: path) {
            tensor,
            sink throws(CheckpointError) in
            if let index = columns.firstIndex(where: { $0.name == tensor.name }) {
                try scratch[index].copy(to: sink)
            } else {
                let result = labels.map(Int64.init).withUnsafeBytes { bytes in
                    Result { () throws(CheckpointError) in
                        try CheckpointError.of(try sink.write(bytes))
                    }
                }
                try result.get()
            }
        }
    }

    private var metadata: [String: String] {
        func list(_ names: [String]) -> String {
            JSONValue.array(names.map(JSONValue.string)).text(isIndented: false)
        }
        var metadata = [
            "format": "pt",
            "files": list(names),
            "model": description.model,
            "tokens": columns.map(\.name).joined(separator: ","),
            "blocks": String(description.request.blocks),
            "normalized": String(description.request.isNormalized),
        ]
        if let classNames = description.classNames { metadata["classes"] = list(classNames) }
        return metadata
    }
}

// MARK: - NumPy

extension FeatureFile {
    private func finishNumPy() throws(CheckpointError) {
        let shape =
            columns.count == 1
            ? columns[0].shape(images: count) : [count, columns.reduce(0) { $0 + $1.length }]
        let sizes = shape.map(String.init).joined(separator: ", ")
        var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(sizes)), }"
        // Magic, version and length take ten bytes; the data begin at a multiple of 64.
        while (10 + header.utf8.count + 1) % 64 != 0 { header += " " }
        header += "\n"
        let size = header.utf8.count
        let start: [UInt8] =
            [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(size & 0xFF), UInt8(size >> 8 & 0xFF)]
        try AtomicFile.write(to: path) { sink throws(CheckpointError) in
            try CheckpointError.of(try sink.write(start + Array(header.utf8)))
            try scratch[0].copy(to: sink)
        }
        var list = description.classNames == nil ? "file\n" : "file,label,class\n"
        for index in names.indices {
            list += leading(name: names[index], label: labels[index]) + "\n"
        }
        try CheckpointError.of(try AtomicFile.write(list.utf8, to: path + ".files.csv"))
    }
}

// MARK: - CSV

extension FeatureFile {
    private var csvHeader: String {
        let leading = description.classNames == nil ? ["file"] : ["file", "label", "class"]
        let numbers = columns.flatMap { column in
            (0..<column.length).map { "\(column.name).\($0)" }
        }
        return (leading + numbers).joined(separator: ",") + "\n"
    }

    private func line(_ row: Int, _ arrays: [[Float]], name: String, label: Int) -> String {
        var line = leading(name: name, label: label)
        for (index, column) in columns.enumerated() {
            for value in arrays[index][(row * column.count)..<((row + 1) * column.count)] {
                line += ",\(value)"
            }
        }
        return line + "\n"
    }

    /// The cells before the numbers.
    private func leading(name: String, label: Int) -> String {
        guard let classNames = description.classNames else { return name.csvCell }
        let className = classNames.indices.contains(label) ? classNames[label] : ""
        return [name, "\(label)", className].csvLine
    }
}
