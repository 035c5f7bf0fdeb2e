public import Storage
public import Torch

/// Tensors in safetensors files.
public enum Safetensors {
    /// Reads every tensor of a file.
    ///
    /// - Parameter path: The file.
    /// - Returns: The tensors by their keys, on the CPU.
    /// - Throws: ``CheckpointError`` when the file cannot be read, is damaged, or holds an element type
    ///   that tensors here do not have.
    public static func read(_ path: String) throws(CheckpointError) -> [String: Tensor] {
        try tensors(of: try SafetensorsFile(path: path))
    }

    /// Reads every tensor of an open file.
    ///
    /// - Parameter file: The file.
    /// - Returns: The tensors by their keys, on the CPU.
    /// - Throws: ``CheckpointError`` as ``read(_:)``.
    public static func tensors(
        of file: SafetensorsFile
    ) throws(CheckpointError) -> [String: Tensor] {
        try file.readAll()
    }

    /// Reads one tensor of an open file.
    ///
    /// - Parameters:
    ///   - entry: The tensor's entry in the file's header.
    ///   - file: The file.
    /// - Returns: The tensor, on the CPU.
    /// - Throws: ``CheckpointError`` as ``read(_:)``.
    public static func tensor(
        _ entry: SafetensorsHeader.Entry,
        of file: SafetensorsFile
    ) throws(CheckpointError) -> Tensor {
        try file.read(.init(name: entry.name, dtype: entry.dtype, shape: entry.shape))
    }

    /// Writes tensors to a file, aside and then under its name.
    ///
    /// - Parameters:
    ///   - tensors: The tensors with their keys, in any order, on any device.
    ///   - metadata: Texts for `__metadata__`; Python's libraries require the format `pt`.
    ///   - path: The file, in a folder that exists.
    /// - Throws: ``CheckpointError``; the file that was there before is then as it was.
    public static func write(
        _ tensors: [(name: String, tensor: Tensor)],
        metadata: [String: String] = ["format": "pt"],
        to path: String
    ) throws(CheckpointError) {
        var byName: [String: Tensor] = [:]
        var descriptions: [ArchivedTensor] = []
        for (name, tensor) in tensors {
            byName[name] = tensor
            descriptions.append(
                .init(name: name, dtype: SafetensorsDType(tensor.dtype), shape: tensor.shape)
            )
        }
        try SafetensorsWriter.write(descriptions, metadata: metadata, to: path) {
            description,
            sink throws(CheckpointError) in
            guard let tensor = byName[description.name] else { return }
            do {
                try tensor.withBytes { bytes in try sink.write(bytes) }
            } catch let error as CheckpointError {
                throw error
            } catch let error as StorageError {
                throw CheckpointError(error)
            } catch {
                throw CheckpointError.tensor(name: description.name, reason: "\(error)")
            }
        }
    }
}

extension SafetensorsDType {
    /// The name in files of a tensor's element type.
    ///
    /// - Parameter dtype: The element type.
    public init(_ dtype: DType) {
        self =
            switch dtype {
            case .float32: .float32
            case .float16: .float16
            case .bfloat16: .bfloat16
            case .float64: .float64
            case .int64: .int64
            case .int32: .int32
            case .int16: .int16
            case .int8: .int8
            case .uint8: .uint8
            case .bool: .bool
            }
    }
}

extension DType {
    /// The element type of tensors for one of files, or nil where tensors have none like it.
    ///
    /// - Parameter dtype: The element type in a file.
    public init?(_ dtype: SafetensorsDType) {
        switch dtype {
        case .float32: self = .float32
        case .float16: self = .float16
        case .bfloat16: self = .bfloat16
        case .float64: self = .float64
        case .int64: self = .int64
        case .int32: self = .int32
        case .int16: self = .int16
        case .int8: self = .int8
        case .uint8: self = .uint8
        case .bool: self = .bool
        case .uint16, .uint32, .uint64, .float8E5M2, .float8E4M3: return nil
        }
    }
}
