import Foundation

/// Writes a message of Protocol Buffers, field by field: as much of the format as event files need.
///
/// ## Source
/// Google, "Protocol Buffers: Encoding"; wire types 0 (varint), 1 (64 bits), 2 (length and bytes), 5 (32 bits).
struct ProtocolBuffer {
    /// The message so far.
    private(set) var data = Data()

    mutating func append(field: UInt64, integer: UInt64) {
        append(varint: field << 3)
        append(varint: integer)
    }

    mutating func append(field: UInt64, double: Double) {
        append(varint: field << 3 | 1)
        withUnsafeBytes(of: double.bitPattern.littleEndian) { data.append(contentsOf: $0) }
    }

    mutating func append(field: UInt64, float: Float) {
        append(varint: field << 3 | 5)
        withUnsafeBytes(of: float.bitPattern.littleEndian) { data.append(contentsOf: $0) }
    }

    /// Text or another message.
    mutating func append(field: UInt64, bytes: Data) {
        append(varint: field << 3 | 2)
        append(varint: UInt64(bytes.count))
        data.append(bytes)
    }

    /// Seven bits a byte, the lowest first; the top bit says that more follow.
    private mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            data.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        data.append(UInt8(truncatingIfNeeded: rest))
    }
}
