/// The types of weights files, recognised by their first bytes and not by their names.
package enum WeightsKind: Equatable {
    case safetensors
    case zip
    case legacyPyTorch
    case index
    case foreign(String)

    /// The number of bytes that are examined.
    package static let headSize = 512

    package static func head(of source: any ByteSource) throws(StorageError) -> [UInt8] {
        try source.bytes(0..<min(headSize, source.count))
    }

    /// Tells the kind.
    ///
    /// - Parameters:
    ///   - source: The file.
    ///   - head: Its first ``headSize`` bytes, or all of them.
    package init(source: any ByteSource, head: [UInt8]) {
        let pickle = [UInt8](head.dropFirst(2).prefix(PyTorchContainer.magic.count))
        // Weights of safetensors begin with a length of 8 bytes, of which the highest are 0.
        if head.count > 8, head[8] == UInt8(ascii: "{"), head[6] == 0, head[7] == 0 {
            self = .safetensors
        } else if head.starts(with: [0x50, 0x4B, 3, 4]) || head.starts(with: [0x50, 0x4B, 5, 6]) {
            self = .zip
        } else if head.first == 0x80, pickle == PyTorchContainer.magic {
            self = .legacyPyTorch
        } else if head.first(where: { !Self.space.contains($0) }) == UInt8(ascii: "{") {
            self = .index
        } else if let foreign = Self.foreign(head) {
            self = .foreign(foreign)
        } else {
            // Also the fate of a file that is cut in its first bytes: its reader says how.
            self = .safetensors
        }
    }

    /// The error for a kind that no reader is there for.
    package func error(_ source: any ByteSource) -> StorageError? {
        guard case .foreign(let what) = self else { return nil }
        return .unsupported(file: source.path, reason: what)
    }

    private static let space = [UInt8](" \t\r\n".utf8)

    private static func foreign(_ head: [UInt8]) -> String? {
        func begins(_ text: String) -> Bool { head.starts(with: text.utf8) }
        if head.isEmpty { return "it is empty" }
        if head.count > 262, head[257..<262].elementsEqual("ustar".utf8) {
            return "it is a tar archive, as PyTorch wrote before 0.1.10; "
                + "load it with a newer PyTorch and save it again"
        }
        if head.first == 0x80, head.count > 1, head[1] <= 5 {
            return "it is a pickle, but not from torch.save"
        }
        if begins("version https://git-lfs") {
            return "it is a Git LFS pointer, not the weights; run `git lfs pull`"
        }
        if begins("<") { return "it is a web page, not weights; the download failed" }
        if begins("\u{1F}") || head.starts(with: [0x1F, 0x8B]) {
            return "it is compressed with gzip; unpack it first"
        }
        if head.starts(with: [0x89, 0x48, 0x44, 0x46]) { return "it is a Keras HDF5 file" }
        if head.starts(with: [0x93, 0x4E, 0x55, 0x4D]) { return "it is a NumPy array" }
        if begins("GGUF") { return "it is a GGUF file" }
        return nil
    }
}
