/// The table of contents of a zip archive whose entries are stored as they are, as PyTorch writes it.
///
/// ## Source
/// PKWARE, APPNOTE.TXT 6.3.10: sections 4.3 (structure) and 4.5.3 (zip64).
package struct ZipDirectory {
    /// One file in the archive.
    package struct Entry: Equatable {
        package let name: String
        package let size: Int
        package let crc: UInt32
        fileprivate let headerStart: Int
        fileprivate let fault: String?
    }

    /// The largest table that is read, in bytes.
    package static let maximumSize = 32 << 20

    /// The entries in the order of the table.
    package let entries: [Entry]

    private let places: [String: Int]
    private let source: any ByteSource
    private let tableStart: Int

    /// Reads and checks the table.
    ///
    /// - Throws: ``StorageError`` when the archive is cut short, contradicts itself or has two
    ///   files of one name.
    package init(_ source: any ByteSource) throws(StorageError) {
        self.source = source
        let end = try ZipEnd(source)
        guard end.tableSize <= Self.maximumSize else {
            throw Self.malformed(source, "its directory has \(end.tableSize) bytes")
        }
        tableStart = end.tableStart
        var table = ByteCursor(
            source,
            end.tableStart..<end.tableStart + end.tableSize
        )
        var entries: [Entry] = []
        var places: [String: Int] = [:]
        // The number of entries is a claim; what there is to read bounds them.
        for _ in 0..<end.entryCount {
            guard table.end - table.position >= 46 else {
                throw Self.malformed(source, "its directory ends too early")
            }
            let entry = try Self.entry(&table)
            guard places.updateValue(entries.count, forKey: entry.name) == nil else {
                throw Self.malformed(source, "it contains \(entry.name.debugDescription) twice")
            }
            entries.append(entry)
        }
        self.entries = entries
        self.places = places
    }

    /// The entry of a name, or nil.
    package func entry(_ name: String) -> Entry? { places[name].map { entries[$0] } }

    /// Where the bytes of an entry are in the file.
    ///
    /// - Throws: ``StorageError`` when the entry is compressed or does not lie inside the file.
    package func range(of entry: Entry) throws(StorageError) -> Range<Int> {
        let name = entry.name.debugDescription
        if let fault = entry.fault {
            throw StorageError.unsupported(
                file: source.path,
                reason: "its member \(name) is \(fault); PyTorch stores members uncompressed"
            )
        }
        guard entry.headerStart <= tableStart - 30 else {
            throw Self.malformed(source, "its member \(name) begins beyond the end of the data")
        }
        var header = ByteCursor(source, entry.headerStart..<entry.headerStart + 30)
        guard try header.integer(bytes: 4) == 0x0403_4B50 else {
            throw Self.malformed(source, "its member \(name) is not where the directory says")
        }
        _ = try header.take(22)
        let start =
            entry.headerStart + 30 + Int(try header.integer(bytes: 2))
            + Int(try header.integer(bytes: 2))
        guard start <= tableStart, entry.size <= tableStart - start else {
            throw Self.malformed(source, "its member \(name) extends beyond the file")
        }
        return start..<start + entry.size
    }

    fileprivate static func malformed(
        _ source: any ByteSource,
        _ reason: String
    ) -> StorageError {
        .malformed(file: source.path, reason: reason)
    }

    private static func entry(_ table: inout ByteCursor) throws(StorageError) -> Entry {
        guard try table.integer(bytes: 4) == 0x0201_4B50 else {
            throw malformed(table.source, "its directory is damaged")
        }
        _ = try table.take(4)
        let flags = try table.integer(bytes: 2)
        let method = try table.integer(bytes: 2)
        _ = try table.take(4)
        let crc = UInt32(try table.integer(bytes: 4))
        var packedSize = try table.integer(bytes: 4)
        var size = try table.integer(bytes: 4)
        let nameLength = Int(try table.integer(bytes: 2))
        let extraLength = Int(try table.integer(bytes: 2))
        let commentLength = Int(try table.integer(bytes: 2))
        _ = try table.take(8)
        var headerStart = try table.integer(bytes: 4)
        guard let name = String(validating: try table.take(nameLength), as: UTF8.self) else {
            throw malformed(table.source, "it contains a name that is not UTF-8")
        }
        var extra = try table.take(extraLength)
        _ = try table.take(commentLength)
        zip64(&extra, &size, &packedSize, &headerStart)
        var fault: String?
        if flags & 1 != 0 { fault = "encrypted" }
        if method != 0 { fault = "compressed" }
        guard let exactSize = Int(exactly: size), let exactStart = Int(exactly: headerStart),
            fault != nil || packedSize == size
        else {
            throw malformed(table.source, "its member \(name.debugDescription) has no valid size")
        }
        return Entry(
            name: name,
            size: exactSize,
            crc: crc,
            headerStart: exactStart,
            fault: fault
        )
    }

    /// Takes sizes and places of more than 32 bits from the extra field, in this order.
    private static func zip64(
        _ extra: inout ArraySlice<UInt8>,
        _ size: inout UInt64,
        _ packedSize: inout UInt64,
        _ headerStart: inout UInt64
    ) {
        func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
            bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        while extra.count >= 4 {
            let id = number(extra.prefix(2))
            let length = Int(number(extra.dropFirst(2).prefix(2)))
            var field = extra.dropFirst(4).prefix(length)
            extra = extra.dropFirst(4 + length)
            guard id == 1 else { continue }
            func take(_ value: inout UInt64) {
                guard value == 0xFFFF_FFFF, field.count >= 8 else { return }
                value = number(field.prefix(8))
                field = field.dropFirst(8)
            }
            take(&size)
            take(&packedSize)
            take(&headerStart)
        }
    }
}

/// What the record at the end of a zip archive says of its table of contents.
private struct ZipEnd {
    let entryCount: Int
    let tableStart: Int
    let tableSize: Int

    init(_ source: any ByteSource) throws(StorageError) {
        let start = try Self.recordStart(source)
        var record = ByteCursor(source, start + 4..<start + 22)
        let disks = try record.integer(bytes: 4)
        _ = try record.take(2)
        var count = try record.integer(bytes: 2)
        var size = try record.integer(bytes: 4)
        var first = try record.integer(bytes: 4)
        guard disks == 0 || disks == 0xFFFF_FFFF else {
            throw ZipDirectory.malformed(source, "it is part of a multi-part archive")
        }
        if let large = try Self.zip64(source, before: start) { (count, size, first) = large }
        guard let tableStart = Int(exactly: first), let tableSize = Int(exactly: size),
            tableStart <= start, tableSize <= start - tableStart, count <= tableSize / 46
        else { throw ZipDirectory.malformed(source, "its directory lies outside the file") }
        (entryCount, self.tableStart, self.tableSize) = (Int(count), tableStart, tableSize)
    }

    /// The record is the last thing in the file, but for a comment of up to 65535 bytes.
    private static func recordStart(_ source: any ByteSource) throws(StorageError) -> Int {
        let first = max(0, source.count - 22 - 65535)
        let tail = try source.bytes(first..<source.count)
        var place = tail.count - 22
        while place >= 0 {
            if tail[place] == 0x50, tail[place + 1] == 0x4B, tail[place + 2] == 5,
                tail[place + 3] == 6
            {
                return first + place
            }
            place -= 1
        }
        throw ZipDirectory.malformed(
            source,
            "it is a zip archive without an end record; it is cut short, download it again"
        )
    }

    private static func zip64(
        _ source: any ByteSource,
        before end: Int
    ) throws(StorageError) -> (count: UInt64, size: UInt64, start: UInt64)? {
        guard end >= 20 else { return nil }
        var locator = ByteCursor(source, end - 20..<end)
        guard try locator.integer(bytes: 4) == 0x0706_4B50 else { return nil }
        _ = try locator.take(4)
        guard let start = Int(exactly: try locator.integer(bytes: 8)), end >= 76, start <= end - 76
        else { throw ZipDirectory.malformed(source, "its zip64 record lies outside the file") }
        var record = ByteCursor(source, start..<start + 56)
        guard try record.integer(bytes: 4) == 0x0606_4B50 else {
            throw ZipDirectory.malformed(source, "its zip64 record is damaged")
        }
        _ = try record.take(28)
        return (
            try record.integer(bytes: 8), try record.integer(bytes: 8), try record.integer(bytes: 8)
        )
    }
}
