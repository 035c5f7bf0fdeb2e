import Foundation

/// The checksum of TensorFlow's records: Castagnoli's CRC-32, and a masked form for checksums of checksums.
///
/// ## Source
/// RFC 3720, appendix B.4; `tensorboard/compat/tensorflow_stub/pywrap_tensorflow.py`, `masked_crc32c`.
enum CRC32C {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in
            value & 1 == 1 ? 0x82F6_3B78 ^ value >> 1 : value >> 1
        }
    }

    static func checksum(_ data: Data) -> UInt32 {
        ~data.reduce(UInt32.max) { value, byte in
            table[Int((value ^ UInt32(byte)) & 0xFF)] ^ value >> 8
        }
    }

    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        table.withUnsafeBufferPointer { table in
            var value = UInt32.max
            for byte in bytes { value = table[Int((value ^ UInt32(byte)) & 0xFF)] ^ value >> 8 }
            return ~value
        }
    }

    static func masked(_ data: Data) -> UInt32 {
        let value = checksum(data)
        return (value >> 15 | value << 17) &+ 0xA282_EAD8
    }
}
