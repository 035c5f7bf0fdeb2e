import Storage

/// Archives of kinds that are not read, so that a message can name them.
enum PackedArchive {
    private static let endings: [(ending: String, kind: String)] = [
        (".tar.xz", "a tar archive compressed with xz"),
        (".txz", "a tar archive compressed with xz"),
        (".tar.zst", "a tar archive compressed with zstd"),
        (".tzst", "a tar archive compressed with zstd"),
        (".tar.bz2", "a tar archive compressed with bzip2"),
        (".tbz2", "a tar archive compressed with bzip2"),
        (".tbz", "a tar archive compressed with bzip2"),
        (".tar.lz4", "a tar archive compressed with LZ4"),
        (".tar.lzma", "a tar archive compressed with LZMA"),
        (".zip", "a ZIP archive"), (".7z", "a 7-Zip archive"), (".rar", "a RAR archive"),
    ]

    /// The first bytes of files of each kind.
    private static let signatures: [(bytes: [UInt8], kind: String)] = [
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "compressed with xz"),
        ([0x28, 0xB5, 0x2F, 0xFD], "compressed with zstd"),
        ([0x42, 0x5A, 0x68], "compressed with bzip2"),
        ([0x04, 0x22, 0x4D, 0x18], "compressed with LZ4"),
        ([0x50, 0x4B, 0x03, 0x04], "a ZIP archive"),
        ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], "a 7-Zip archive"),
        ([0x52, 0x61, 0x72, 0x21, 0x1A, 0x07], "a RAR archive"),
    ]

    /// The archive type by file name; nil for other names.
    static func kind(name: String) -> String? {
        let name = name.lowercased()
        return endings.first { name.hasSuffix($0.ending) }?.kind
    }

    /// The archive type by the first bytes; nil for others.
    static func kind(content: [UInt8]) -> String? {
        signatures.first { content.starts(with: $0.bytes) }?.kind
    }

    /// What is wrong with a file that is neither a list nor an archive that is read.
    static func error(path: String) -> DatasetError {
        let content = (try? OpenFile(path: path).read(at: 0, count: 8)) ?? []
        // The name says more, but only the content is certain.
        guard let kind = kind(name: path) ?? kind(content: content) else {
            return .notAFolder(path: path)
        }
        return .unsupportedArchive(path: path, kind: kind)
    }
}
