import Torch

/// A short number that differs where what was added to it differs, but by chance in 2^128.
///
/// It guards against mistakes, not against deliberate collisions.
struct Fingerprint: Equatable, Sendable {
    private var low: UInt64 = 0x6465_6974_2066_696E
    private var high: UInt64 = 0x6765_7270_7269_6E74

    /// 32 digits.
    var text: String {
        [low, high].map { value in
            let digits = String(value, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    mutating func add(_ value: UInt64) {
        low = SplitMixFinalizer.mixed(low ^ value)
        high = SplitMixFinalizer.mixed(high &+ value &* 0x9E37_79B9_7F4A_7C15 ^ low)
    }

    mutating func add(_ value: Int) { add(UInt64(bitPattern: Int64(value))) }

    /// Adds a text and its length, so that neighbours cannot run into one another.
    mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
    }

    /// Adds bytes and their number.
    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        add(bytes.count)
        let whole = bytes.count / 8 * 8
        for offset in stride(from: 0, to: whole, by: 8) {
            add(bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian)
        }
        guard whole < bytes.count else { return }
        add(bytes[whole...].reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    /// Adds tensors: names, shapes, types and numbers.
    mutating func add(_ tensors: [(name: String, tensor: Tensor)]) throws {
        for (name, tensor) in tensors {
            add(name)
            add("\(tensor.dtype) \(tensor.shape)")
            var copy = self
            try tensor.detached().withBytes { copy.add($0) }
            self = copy
        }
    }
}
