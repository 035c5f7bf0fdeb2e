public import Storage
public import Torch

/// A file, or several that belong together, from which tensors are read by their keys.
///
/// An archive that exists has a sound table of contents; the bytes of a tensor are touched only when
/// that tensor is read. ``WeightsArchive`` opens one by what the file contains.
public protocol TensorArchive: Sendable {
    /// The path of the file; of the index where there are several.
    var path: String { get }

    /// The tensors, each key once.
    var tensors: [ArchivedTensor] { get }

    /// The metadata of the file; empty where it has none.
    var metadata: [String: String] { get }

    /// Reads a tensor.
    ///
    /// - Parameter tensor: One of ``tensors``.
    /// - Returns: The tensor, contiguous and on the CPU, with the file's element type.
    /// - Throws: ``CheckpointError`` when the disk fails, the file has become shorter, or tensors here
    ///   do not have the element type.
    func read(_ tensor: ArchivedTensor) throws(CheckpointError) -> Tensor

    /// Reads a tensor into one that exists; autograd does not see it.
    ///
    /// - Parameters:
    ///   - tensor: One of ``tensors``.
    ///   - target: The tensor to overwrite, of the same shape; its element type and device may differ.
    /// - Throws: ``CheckpointError`` as ``read(_:)``, and when the shapes differ.
    func copy(_ tensor: ArchivedTensor, into target: Tensor) throws(CheckpointError)
}

extension TensorArchive {
    /// Reads every tensor.
    ///
    /// - Returns: The tensors by their keys, on the CPU.
    /// - Throws: ``CheckpointError`` as ``read(_:)``.
    public func readAll() throws(CheckpointError) -> [String: Tensor] {
        var all: [String: Tensor] = [:]
        for tensor in tensors { all[tensor.name] = try read(tensor) }
        return all
    }
}
