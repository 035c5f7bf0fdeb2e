internal import CZlib
public import Storage
public import Torch

/// An open PyTorch file (`.pth`, `.pt`, `.bin`): the tensors of one state dict, read on demand.
///
/// Its pickle is interpreted by a machine of our own that knows what weights need and nothing else;
/// no code of the file or of Python ever runs. Both kinds are read: zip archives, and the single
/// pickle that PyTorch wrote before 1.6. A tensor that is a view of a storage (with an offset or
/// strides, or that shares it with others) comes out contiguous and on its own.
///
/// ## Source
/// torch 2.13: `torch/serialization.py`, `torch/_weights_only_unpickler.py`.
public final class PyTorchFile: Sendable {
    /// The path of the file.
    public let path: String

    /// The tensors, in the order of the state dict.
    public let tensors: [ArchivedTensor]

    /// Plain values next to the weights, such as `epoch`; texts of numbers and texts.
    public let metadata: [String: String]

    /// What a reader should know: which dictionary was taken, what was ignored.
    public let notes: [String]

    /// The `argparse.Namespace` next to the weights, as text; empty where there is none.
    public let arguments: [String: String]

    /// The nested dictionaries of tensors, such as `model` and `model_ema`.
    public let stateDictNames: [String]

    private let source: any ByteSource
    private let layouts: [StridedLayout]
    private let places: [String: Int]

    /// Opens a file and checks every tensor of the state dict against it.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - stateDict: The nested dictionary to take, such as `model_ema` or `teacher`; or, of tensors whose names begin with
    ///     several prefixes, the prefix, such as `momentum_backbone` or, inside a dictionary, `model_ema.backbone`. nil
    ///     takes the dictionary itself, or the nested one with the plain weights where only one can be meant.
    /// - Throws: ``CheckpointError`` when the file cannot be read, is damaged, uses anything that
    ///   weights do not need, or when several dictionaries could be meant.
    public convenience init(path: String, stateDict: String? = nil) throws(CheckpointError) {
        try self.init(try CheckpointError.of(try MappedFile(path: path)), stateDict: stateDict)
    }

    init(_ source: any ByteSource, stateDict: String?) throws(CheckpointError) {
        let contents = try CheckpointError.of(try PyTorchContents(source, stateDict: stateDict))
        self.source = source
        path = source.path
        let prefix = contents.choice.prefix
        let entries = contents.table.entries.filter { $0.tensor.name.hasPrefix(prefix) }
        tensors = entries.map(\.tensor)
        layouts = entries.map(\.layout)
        metadata = contents.metadata
        arguments = contents.arguments
        notes =
            contents.choice.notes + contents.table.notes
            + SelectedArchive.notes(prefix, leftOut: contents.table.entries.count - entries.count)
        stateDictNames = contents.choice.names
        var places: [String: Int] = [:]
        for (place, tensor) in tensors.enumerated() { places[tensor.name] = place }
        self.places = places
    }
}

extension PyTorchFile: TensorArchive {
    /// Reads a tensor; see ``TensorArchive/read(_:)``.
    public func read(_ tensor: ArchivedTensor) throws(CheckpointError) -> Tensor {
        let layout = try layout(of: tensor)
        return try TensorReading.read(tensor, path: path) { bytes throws(CheckpointError) in
            try CheckpointError.of(try layout.copy(from: source, into: bytes))
        }
    }

    /// Reads a tensor into one that exists; see ``TensorArchive/copy(_:into:)``.
    public func copy(
        _ tensor: ArchivedTensor,
        into target: Tensor
    ) throws(CheckpointError) {
        let layout = try layout(of: tensor)
        try TensorReading.copy(tensor, into: target, path: path) { bytes throws(CheckpointError) in
            try CheckpointError.of(try layout.copy(from: source, into: bytes))
        }
    }

    private func layout(of tensor: ArchivedTensor) throws(CheckpointError) -> StridedLayout {
        guard let place = places[tensor.name], tensors[place] == tensor else {
            throw CheckpointError.tensor(name: tensor.name, reason: "is not in \(path)")
        }
        return layouts[place]
    }
}

extension PyTorchFile {
    /// The parts of the file whose bytes do not have the checksum that the archive keeps of them.
    ///
    /// Reading does not compare checksums, which would take longer than the reading, and nor does PyTorch. A file
    /// of the older kind has none. PyTorch can write none; then no part has the right one.
    ///
    /// - Returns: The names of the damaged parts, and the number of all parts.
    /// - Throws: ``CheckpointError`` when the file cannot be read.
    public func damagedParts() throws(CheckpointError) -> (names: [String], parts: Int) {
        let source = try CheckpointError.of(try MappedFile(path: path))
        guard
            WeightsKind(
                source: source,
                head: try CheckpointError.of(try WeightsKind.head(of: source))
            ) == .zip
        else {
            return ([], 0)
        }
        let directory = try CheckpointError.of(try ZipDirectory(source))
        var names: [String] = []
        for entry in directory.entries {
            let range = try CheckpointError.of(try directory.range(of: entry))
            if try Self.checksum(of: range, in: source) != entry.crc { names.append(entry.name) }
        }
        return (names, directory.entries.count)
    }

    private static func checksum(
        of range: Range<Int>,
        in source: MappedFile
    ) throws(CheckpointError) -> UInt32 {
        var crc = CZlib.crc32(0, nil, 0)
        var start = range.lowerBound
        while start < range.upperBound {
            let end = min(range.upperBound, start + (4 << 20))
            let piece = try CheckpointError.of(try source.bytes(start..<end))
            crc = CZlib.crc32(crc, piece, uInt(piece.count))
            start = end
        }
        return UInt32(truncatingIfNeeded: crc)
    }
}
