import Checkpoints
import Foundation
import Storage
import Testing
import Torch

/// The files beside these tests; Tools/parity/make_pytorch.py makes those of PyTorch.
enum Fixtures {
    static func url(_ name: String) throws -> URL {
        let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
        return folder.appending(path: name)
    }

    static func path(_ name: String) throws -> String { try url(name).path }

    static func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: url(name))) }

    static func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path(folder)).sorted()
    }
}

/// The dtype, shape and bytes of all tensors of an archive.
func contents(of archive: any TensorArchive) throws -> [String: TensorContents] {
    var contents: [String: TensorContents] = [:]
    for tensor in archive.tensors {
        let value = try archive.read(tensor)
        contents[tensor.name] = try TensorContents(value)
    }
    return contents
}

struct TensorContents: Equatable {
    let dtype: DType
    let shape: [Int]
    let bytes: [UInt8]

    init(_ tensor: Tensor) throws {
        (dtype, shape) = (tensor.dtype, tensor.shape)
        bytes = try tensor.withBytes { [UInt8]($0) }
    }
}
