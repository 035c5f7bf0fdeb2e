import Foundation

/// A `.npy` file of 32-bit floats in row-major order, version 1.
struct NumPyArray {
    struct Malformed: Error {}

    let shape: [Int]
    let values: [Float]

    init(contentsOf url: URL) throws {
        let bytes = [UInt8](try Data(contentsOf: url))
        guard bytes.count > 10, Array(bytes[..<8]) == [0x93] + Array("NUMPY".utf8) + [1, 0] else {
            throw Malformed()
        }
        let start = 10 + Int(bytes[8]) + Int(bytes[9]) << 8
        guard start <= bytes.count else { throw Malformed() }
        let header = String(decoding: bytes[10..<start], as: UTF8.self)
        guard header.contains("'descr': '<f4'"), header.contains("'fortran_order': False"),
            let open = header.firstIndex(of: "("), let close = header.firstIndex(of: ")")
        else { throw Malformed() }
        shape = header[header.index(after: open)..<close].split(separator: ",")
            .compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
        let count = shape.reduce(1, *)
        guard bytes.count == start + 4 * count else { throw Malformed() }
        values = (0..<count).map { index in
            let at = start + 4 * index
            return Float(
                bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << (8 * UInt32($1)) }
            )
        }
    }
}
