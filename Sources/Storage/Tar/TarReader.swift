/// A member of a tar archive.
package struct TarMember: Equatable {
    /// What it is.
    package enum Kind: Equatable {
        case file
        case hardLink
        case symbolicLink
        case folder
        /// A device, a pipe, or a file in parts.
        case other
    }

    /// Where its first header begins, those that carry a long name included.
    package let start: Int
    /// The name, as bytes, without a leading `./`.
    package let name: [UInt8]
    /// Where its content begins.
    package let offset: Int
    /// The number of its bytes.
    package let size: Int
    /// What it is.
    package let kind: Kind
    /// Where a link leads, as bytes; empty for others.
    package let target: [UInt8]

    /// The same content under another name.
    ///
    /// - Parameters:
    ///   - name: The name, as bytes.
    ///   - start: Where the header of that name begins.
    /// - Returns: The member.
    package func renamed(_ name: [UInt8], start: Int) -> TarMember {
        TarMember(start: start, name: name, offset: offset, size: size, kind: kind, target: [])
    }
}

/// Reads the table of contents of a tar archive, header by header, without its contents.
///
/// ## Source
/// POSIX.1-2017, `pax`, "ustar Interchange Format" and "pax Header Block"; GNU tar's manual, "Basic Tar Format".
package struct TarReader {
    private let file: any ByteSource
    private var at: Int
    /// Whether the archive ended without its end mark, after a whole member.
    package private(set) var lacksEnd = false
    /// The size of a block.
    private static let block = 512
    /// No name and no extended header is longer.
    private static let extensionLimit = 1 << 20

    /// - Parameters:
    ///   - file: The archive.
    ///   - start: Where to begin: 0, or the start of a member.
    package init(_ file: any ByteSource, at start: Int = 0) {
        self.file = file
        at = start
    }

    /// Reads the next member; nil at the archive's end mark, or where the file ends after a whole member.
    ///
    /// Some writers leave out the end mark, and Python's `tarfile` and GNU tar do without it.
    ///
    /// - Throws: ``StorageError/malformed(file:reason:)`` when the archive is cut short or no tar archive.
    package mutating func next() throws(StorageError) -> TarMember? {
        let start = at
        var longName: [UInt8]?
        var longTarget: [UInt8]?
        var longSize: Int?
        while true {
            let header = try file.read(at: at, count: Self.block)
            if at == file.count, at == start, start > 0 {
                lacksEnd = true
                return nil
            }
            guard header.count == Self.block else { throw cutShort("its end mark is missing") }
            // One block of zeros ends it; writers add a second, and readers do not insist.
            if header.allSatisfy({ $0 == 0 }) { return nil }
            guard Self.hasRightSum(header) else {
                throw at == 0
                    ? .malformed(file: file.path, reason: "it is not a tar archive")
                    : .malformed(
                        file: file.path,
                        reason: "there is no header at byte \(at)"
                    )
            }
            guard let ownSize = Self.number(header[124..<136]) else {
                throw .malformed(file: file.path, reason: "the header at byte \(at) has no size")
            }
            let kind = header[156]
            let isExtension = [
                UInt8(ascii: "L"), UInt8(ascii: "K"), UInt8(ascii: "x"), UInt8(ascii: "g"),
            ]
            .contains(kind)
            let memberKind = Self.kind(kind)
            // Only files and what is unknown have content; the size of others is said for their sake only.
            let hasContent = memberKind == .file || !(49...54).contains(kind)
            let size = isExtension ? ownSize : hasContent ? longSize ?? ownSize : 0
            let content = at + Self.block
            guard size <= file.count - content else {
                throw cutShort("\(escaped(longName ?? Self.name(of: header))) is incomplete")
            }
            at = content + (size + Self.block - 1) / Self.block * Self.block
            guard isExtension else {
                return TarMember(
                    start: start,
                    name: Self.plain(longName ?? Self.name(of: header)),
                    offset: content,
                    size: size,
                    kind: memberKind,
                    target: memberKind == .hardLink || memberKind == .symbolicLink
                        ? longTarget ?? Array(header[157..<257].prefix { $0 != 0 }) : []
                )
            }
            guard size <= Self.extensionLimit else {
                throw .malformed(file: file.path, reason: "the header at byte \(start) is too long")
            }
            let body = try file.read(at: content, count: size)
            if kind == UInt8(ascii: "L") { longName = Array(body.prefix { $0 != 0 }) }
            if kind == UInt8(ascii: "K") { longTarget = Array(body.prefix { $0 != 0 }) }
            if kind == UInt8(ascii: "x") {
                let records = Self.paxRecords(body)
                longName = records["path"] ?? longName
                longTarget = records["linkpath"] ?? longTarget
                longSize =
                    records["size"].flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? longSize
                guard longSize.map({ $0 >= 0 }) ?? true else {
                    throw .malformed(
                        file: file.path,
                        reason: "the header at byte \(start) has a wrong size"
                    )
                }
            }
        }
    }

    private static func kind(_ type: UInt8) -> TarMember.Kind {
        switch type {
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): .file
        case UInt8(ascii: "1"): .hardLink
        case UInt8(ascii: "2"): .symbolicLink
        case UInt8(ascii: "5"): .folder
        default: .other
        }
    }

    private func cutShort(_ detail: String) -> StorageError {
        .malformed(file: file.path, reason: "it is cut short: \(detail); download it again")
    }

    /// Whether the sum of all bytes is what the header says; its own digits count as spaces.
    private static func hasRightSum(_ header: [UInt8]) -> Bool {
        guard let expected = number(header[148..<156]) else { return false }
        let (whole, digits) = (
            header.reduce(0) { $0 + Int($1) }, header[148..<156].reduce(0) { $0 + Int($1) }
        )
        return whole - digits + 8 * 32 == expected
    }

    /// A number in octal digits, or in the binary form that GNU tar uses for large ones.
    private static func number(_ field: ArraySlice<UInt8>) -> Int? {
        guard let first = field.first else { return nil }
        if first & 0x80 != 0 {
            var value = Int(first & 0x7F)
            for byte in field.dropFirst() {
                guard value <= Int.max >> 8 else { return nil }
                value = value << 8 | Int(byte)
            }
            return value
        }
        let digits = field.drop { $0 == 32 }.prefix { $0 != 0 && $0 != 32 }
        guard !digits.isEmpty else { return 0 }
        guard digits.allSatisfy({ (48...55).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 << 3 | Int($1 - 48) }
    }

    /// The name in a header: a prefix, where POSIX's format has one, and the rest.
    private static func name(of header: [UInt8]) -> [UInt8] {
        let name = Array(header[0..<100].prefix { $0 != 0 })
        let isPOSIX = header[257..<263].elementsEqual(Array("ustar\0".utf8))
        let prefix = isPOSIX ? Array(header[345..<500].prefix { $0 != 0 }) : []
        return prefix.isEmpty ? name : prefix + [UInt8(ascii: "/")] + name
    }

    private static func plain(_ name: [UInt8]) -> [UInt8] {
        var name = name[...]
        while name.starts(with: Array("./".utf8)) { name = name.dropFirst(2) }
        return Array(name)
    }

    /// Records such as `21 path=some/name.jpg`, each with its own length in front and a newline at its end.
    private static func paxRecords(_ body: [UInt8]) -> [String: [UInt8]] {
        var records: [String: [UInt8]] = [:]
        var at = 0
        while at < body.count {
            let digits = body[at...].prefix { (48...57).contains($0) }
            guard (1...7).contains(digits.count),
                let length = Int(String(decoding: digits, as: UTF8.self)),
                length > digits.count + 1, length <= body.count - at
            else { break }
            let record = body[(at + digits.count + 1)..<(at + length - 1)]
            if let equals = record.firstIndex(of: UInt8(ascii: "=")) {
                let key = String(decoding: record[..<equals], as: UTF8.self)
                records[key] = Array(record[(equals + 1)...])
            }
            at += length
        }
        return records
    }
}
