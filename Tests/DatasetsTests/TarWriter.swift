import Foundation

/// Writes tar archives without a library, for shards that tests make.
struct TarWriter {
    private(set) var bytes: [UInt8] = []

    /// Adds a file.
    mutating func add(_ name: String, _ content: [UInt8], kind: Character = "0") {
        add(Array(name.utf8), content, kind: kind)
    }

    /// Adds a link; its header may tell the size of what it leads to.
    mutating func addLink(_ name: String, to target: String, kind: Character, size: Int = 0) {
        add(Array(name.utf8), [], kind: kind, target: Array(target.utf8), size: size)
    }

    /// Adds a file with any bytes for a name.
    mutating func add(
        _ name: [UInt8],
        _ content: [UInt8],
        kind: Character = "0",
        target: [UInt8] = [],
        size: Int? = nil
    ) {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: [UInt8], at start: Int) {
            header.replaceSubrange(start..<(start + text.count), with: text)
        }
        func octal(_ value: Int, digits: Int) -> [UInt8] {
            let text = String(value, radix: 8)
            return Array((String(repeating: "0", count: digits - text.count) + text).utf8)
        }
        put(Array(name.prefix(100)), at: 0)
        put(octal(0o644, digits: 7), at: 100)
        put(octal(size ?? content.count, digits: 11), at: 124)
        put(Array(repeating: 32, count: 8), at: 148)
        put(Array(String(kind).utf8), at: 156)
        put(Array(target.prefix(100)), at: 157)
        put(Array("ustar\u{0}00".utf8), at: 257)
        put(octal(header.reduce(0) { $0 + Int($1) }, digits: 6) + [0, 32], at: 148)
        bytes += header + content
        bytes += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    /// The archive with its end mark.
    var finished: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }
}

/// A gzip file of stored blocks.
func gzipped(_ bytes: [UInt8]) -> [UInt8] {
    func little(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    var file: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
    var rest = bytes[...]
    repeat {
        let block = rest.prefix(60_000)
        rest = rest.dropFirst(block.count)
        file += [rest.isEmpty ? 1 : 0] + little(block.count, 2) + little(~block.count, 2) + block
    } while !rest.isEmpty
    return file + little(Int(TinyPNG.crc(bytes)), 4) + little(bytes.count, 4)
}
