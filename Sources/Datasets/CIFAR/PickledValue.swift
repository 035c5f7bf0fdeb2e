/// A value of a pickle that holds a data set: numbers, texts, lists, dictionaries and arrays of numpy.
///
/// Lists, dictionaries and arrays stand in the contents and are named by their place, so that values that contain one
/// another, or nest a million deep, cost neither a leak nor a stack.
enum PickledValue {
    case none
    case integer(Int)
    case number(Double)
    case text(String)
    case bytes([UInt8])
    case list(Int)
    case dictionary(Int)
    case array(Int)
    case type(String)
    case global(String)

    /// The text, also of a short byte string, which is how Python 2 writes names.
    var text: String? {
        switch self {
        case .text(let text): text
        case .bytes(let bytes) where bytes.count <= 4096: String(validating: bytes, as: UTF8.self)
        default: nil
        }
    }

    var integer: Int? {
        if case .integer(let value) = self { value } else { nil }
    }

    func list(in contents: PickledContents) -> [PickledValue]? {
        if case .list(let place) = self { contents.lists[place] } else { nil }
    }

    func array(in contents: PickledContents) -> PickledArray? {
        if case .array(let place) = self { contents.arrays[place] } else { nil }
    }

    /// The integers of a list or of an array of them.
    func integers(in contents: PickledContents) -> [Int]? {
        if let list = list(in: contents) {
            let integers = list.compactMap(\.integer)
            return integers.count == list.count ? integers : nil
        }
        return array(in: contents)?.integers
    }
}

/// An array of numpy.
struct PickledArray {
    var shape: [Int] = []
    /// numpy's letter and size, such as `u1` or `i8`; little-endian.
    var type = ""
    var isColumnMajor = false
    var bytes: [UInt8] = []

    /// The numbers of an array of one dimension.
    var integers: [Int]? {
        guard shape.count == 1, type.count == 2, let kind = type.first, let last = type.last,
            let size = last.wholeNumberValue, [1, 2, 4, 8].contains(size),
            kind == "i" || kind == "u",
            bytes.count / size == shape[0], bytes.count % size == 0
        else { return nil }
        return stride(from: 0, to: bytes.count, by: size).map { start in
            let value = (0..<size).reduce(UInt64(0)) {
                $0 | UInt64(bytes[start + $1]) << (8 * UInt64($1))
            }
            let unused = UInt64(64 - 8 * size)
            let signed = Int64(bitPattern: value << unused) >> Int64(unused)
            return kind == "i" ? Int(signed) : Int(truncatingIfNeeded: value)
        }
    }
}

/// What a pickle holds: its outermost value and all that it refers to.
struct PickledContents {
    var lists: [[PickledValue]] = []
    var dictionaries: [[(key: PickledValue, value: PickledValue)]] = []
    var arrays: [PickledArray] = []
    var root = PickledValue.none

    /// The value under a key of the outermost dictionary.
    subscript(key: String) -> PickledValue? {
        guard case .dictionary(let place) = root else { return nil }
        return dictionaries[place].last { $0.key.text == key }?.value
    }
}
