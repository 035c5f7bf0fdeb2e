internal import CZlib

/// Writes a zip archive of stored entries as PyTorch does: each entry's bytes begin at a multiple of 64.
///
/// ## Source
/// PKWARE, APPNOTE.TXT 6.3.10; torch 2.13, `caffe2/serialize/inline_container.cc` (the padding).
package struct ZipWriter {
    /// What an entry's data begin at a multiple of, in bytes.
    package static let alignment = 64

    private struct Entry {
        let name: [UInt8]
        let size: Int
        let crc: UInt32
        let headerStart: Int
    }

    private let sink: FileSink
    private var entries: [Entry] = []

    package init(_ sink: FileSink) { self.sink = sink }

    /// The checksum that an entry needs before its bytes.
    package static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var crc = CZlib.crc32(0, nil, 0)
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
            let address = piece.baseAddress?.assumingMemoryBound(to: UInt8.self)
            crc = CZlib.crc32(crc, address, uInt(piece.count))
            rest = rest.dropFirst(piece.count)
        }
        return UInt32(truncatingIfNeeded: crc)
    }

    /// Appends an entry.
    ///
    /// - Parameters:
    ///   - name: The name with its folders.
    ///   - bytes: The content.
    /// - Throws: ``StorageError/unwritable(path:reason:)`` when the disk is full or fails.
    package mutating func add(
        _ name: String,
        _ bytes: UnsafeRawBufferPointer
    ) throws(StorageError) {
        let entry = Entry(
            name: Array(name.utf8),
            size: bytes.count,
            crc: Self.checksum(bytes),
            headerStart: sink.count
        )
        let isLarge = entry.size >= 0xFFFF_FFFF
        var header: [UInt8] = []
        header.append(0x0403_4B50, bytes: 4)
        header.append(isLarge ? 45 : 20, bytes: 2)
        // Flags (names are UTF-8), stored, no time, the first day of 1980.
        for value in [0x0800, 0, 0, 0x21] { header.append(value, bytes: 2) }
        header.append(Int(entry.crc), bytes: 4)
        header.append(isLarge ? 0xFFFF_FFFF : entry.size, bytes: 4)
        header.append(isLarge ? 0xFFFF_FFFF : entry.size, bytes: 4)
        var extra: [UInt8] = []
        if isLarge {
            extra.append(1, bytes: 2)
            extra.append(16, bytes: 2)
            extra.append(entry.size, bytes: 8)
            extra.append(entry.size, bytes: 8)
        }
        let unpadded = sink.count + header.count + 4 + entry.name.count + extra.count + 4
        let padding = (Self.alignment - unpadded % Self.alignment) % Self.alignment
        extra.append(0x4246, bytes: 2)
        extra.append(padding, bytes: 2)
        extra += [UInt8](repeating: UInt8(ascii: "Z"), count: padding)
        header.append(entry.name.count, bytes: 2)
        header.append(extra.count, bytes: 2)
        try sink.write(header + entry.name + extra)
        try sink.write(bytes)
        entries.append(entry)
    }

    /// Appends an entry.
    package mutating func add(_ name: String, _ bytes: [UInt8]) throws(StorageError) {
        var failure: StorageError?
        bytes.withUnsafeBytes { bytes in
            do throws(StorageError) { try add(name, bytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Writes the table of contents, which ends the archive.
    package func finish() throws(StorageError) {
        let start = sink.count
        var table: [UInt8] = []
        for entry in entries { table += Self.tableEntry(entry) }
        let isLarge = start >= 0xFFFF_FFFF || entries.count >= 0xFFFF
        let end = start + table.count
        if isLarge {
            table.append(0x0606_4B50, bytes: 4)
            table.append(44, bytes: 8)
            table.append(45, bytes: 2)
            table.append(45, bytes: 2)
            table.append(0, bytes: 8)
            table.append(entries.count, bytes: 8)
            table.append(entries.count, bytes: 8)
            table.append(end - start, bytes: 8)
            table.append(start, bytes: 8)
            table.append(0x0706_4B50, bytes: 4)
            table.append(0, bytes: 4)
            table.append(end, bytes: 8)
            table.append(1, bytes: 4)
        }
        table.append(0x0605_4B50, bytes: 4)
        table.append(0, bytes: 4)
        table.append(min(entries.count, 0xFFFF), bytes: 2)
        table.append(min(entries.count, 0xFFFF), bytes: 2)
        table.append(min(end - start, 0xFFFF_FFFF), bytes: 4)
        table.append(min(start, 0xFFFF_FFFF), bytes: 4)
        table.append(0, bytes: 2)
        try sink.write(table)
    }

    private static func tableEntry(_ entry: Entry) -> [UInt8] {
        var extra: [UInt8] = []
        let isLarge = entry.size >= 0xFFFF_FFFF
        let isFar = entry.headerStart >= 0xFFFF_FFFF
        if isLarge || isFar {
            extra.append(1, bytes: 2)
            extra.append((isLarge ? 16 : 0) + (isFar ? 8 : 0), bytes: 2)
            if isLarge {
                extra.append(entry.size, bytes: 8)
                extra.append(entry.size, bytes: 8)
            }
            if isFar { extra.append(entry.headerStart, bytes: 8) }
        }
        var bytes: [UInt8] = []
        bytes.append(0x0201_4B50, bytes: 4)
        let version = extra.isEmpty ? 20 : 45
        for value in [version, version, 0x0800, 0, 0, 0x21] { bytes.append(value, bytes: 2) }
        bytes.append(Int(entry.crc), bytes: 4)
        bytes.append(min(entry.size, 0xFFFF_FFFF), bytes: 4)
        bytes.append(min(entry.size, 0xFFFF_FFFF), bytes: 4)
        bytes.append(entry.name.count, bytes: 2)
        bytes.append(extra.count, bytes: 2)
        // Comment, disk, attributes.
        bytes.append(0, bytes: 2)
        bytes.append(0, bytes: 2)
        bytes.append(0, bytes: 2)
        bytes.append(0, bytes: 4)
        bytes.append(min(entry.headerStart, 0xFFFF_FFFF), bytes: 4)
        return bytes + entry.name + extra
    }
}

extension [UInt8] {
    /// Appends a number, little-endian.
    package mutating func append(_ value: Int, bytes count: Int) {
        for index in 0..<count { append(UInt8(truncatingIfNeeded: value >> (index * 8))) }
    }
}
