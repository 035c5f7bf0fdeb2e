public import Storage
public import Torch

/// An open safetensors file: a checked table of contents, and the tensors on demand.
///
/// The file is mapped, and its bytes are copied straight into the memory of the tensors that are read.
/// A file that is truncated meanwhile is an error.
///
/// ## Source
/// The format: huggingface/safetensors, README, "Format".
public final class SafetensorsFile: Sendable {
    /// The table of contents.
    public let header: SafetensorsHeader

    /// The tensors, in the order of their bytes.
    public let tensors: [ArchivedTensor]

    private let source: any ByteSource
    private let dataStart: Int
    private let places: [String: Int]

    /// Opens a file and checks its header.
    ///
    /// - Parameter path: The file.
    /// - Throws: ``CheckpointError`` when it cannot be read or is no sound safetensors file.
    public convenience init(path: String) throws(CheckpointError) {
        try self.init(try CheckpointError.of(try MappedFile(path: path)))
    }

    init(_ source: any ByteSource) throws(CheckpointError) {
        self.source = source
        (header, dataStart) = try CheckpointError.of(try SafetensorsHeader.read(source))
        tensors = header.entries.map {
            ArchivedTensor(name: $0.name, dtype: $0.dtype, shape: $0.shape)
        }
        var places: [String: Int] = [:]
        for (place, tensor) in tensors.enumerated() { places[tensor.name] = place }
        self.places = places
    }

    /// The bytes of a tensor, little-endian and in row-major order.
    ///
    /// - Parameter entry: An entry of this file's ``header``.
    /// - Returns: As many bytes as the entry's range has.
    /// - Throws: ``CheckpointError`` when the disk fails or the file has become shorter.
    public func bytes(of entry: SafetensorsHeader.Entry) throws(CheckpointError) -> [UInt8] {
        try CheckpointError.of(try source.bytes(range(of: entry)))
    }

    private func range(of entry: SafetensorsHeader.Entry) -> Range<Int> {
        dataStart + entry.range.lowerBound..<dataStart + entry.range.upperBound
    }
}

extension SafetensorsFile: TensorArchive {
    /// The path of the file.
    public var path: String { source.path }

    /// The texts under `__metadata__`.
    public var metadata: [String: String] { header.metadata }

    /// Reads a tensor; see ``TensorArchive/read(_:)``.
    public func read(_ tensor: ArchivedTensor) throws(CheckpointError) -> Tensor {
        let range = range(of: try entry(of: tensor))
        return try TensorReading.read(tensor, path: path) { bytes throws(CheckpointError) in
            try fill(bytes, from: range)
        }
    }

    /// Reads a tensor into one that exists; see ``TensorArchive/copy(_:into:)``.
    public func copy(
        _ tensor: ArchivedTensor,
        into target: Tensor
    ) throws(CheckpointError) {
        let range = range(of: try entry(of: tensor))
        try TensorReading.copy(tensor, into: target, path: path) { bytes throws(CheckpointError) in
            try fill(bytes, from: range)
        }
    }

    private func entry(
        of tensor: ArchivedTensor
    ) throws(CheckpointError) -> SafetensorsHeader.Entry {
        guard let place = places[tensor.name], tensors[place] == tensor else {
            throw CheckpointError.tensor(name: tensor.name, reason: "is not in \(path)")
        }
        return header.entries[place]
    }

    private func fill(
        _ bytes: UnsafeMutableRawBufferPointer,
        from range: Range<Int>
    ) throws(CheckpointError) {
        guard bytes.count == range.count else {
            throw CheckpointError.malformed(
                file: path,
                reason: "found \(range.count) bytes, expected \(bytes.count)"
            )
        }
        try CheckpointError.of(try source.copy(from: range.lowerBound, into: bytes))
    }
}
