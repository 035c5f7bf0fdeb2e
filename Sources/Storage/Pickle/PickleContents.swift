/// What a pickle holds: its outermost value and all that it refers to.
package struct PickleContents {
    /// The outermost value.
    package let root: PickleValue
    /// What values refer to.
    package let heap: PickleHeap

    /// Reads a pickle.
    ///
    /// - Parameters:
    ///   - source: The file, which is one pickle.
    ///   - use: What it is read for.
    /// - Throws: ``StorageError`` for damage, for anything that the use does not need, and for too much of it.
    package init(_ source: any ByteSource, for use: PickleMachine.Use) throws(StorageError) {
        var machine = PickleMachine(ByteCursor(source, 0..<source.count), for: use)
        root = try machine.run()
        heap = machine.heap
    }

    /// The value under a key of the outermost dictionary; nil where there is none.
    package subscript(key: String) -> PickleValue? {
        guard case .dictionary(let place) = root else { return nil }
        let pairs = heap.dictionaries[place]
        return pairs.keys.lastIndex { $0.text == key }.map { pairs.values[$0] }
    }

    /// The elements of a list or a tuple; nil for anything else.
    package func list(_ value: PickleValue?) -> [PickleValue]? {
        switch value {
        case .list(let place)?, .tuple(let place)?: heap.lists[place]
        default: nil
        }
    }

    /// An array; nil for anything else.
    package func array(_ value: PickleValue?) -> NumPyArray? {
        if case .array(let place)? = value { heap.arrays[place] } else { nil }
    }

    /// The integers of a list or of an array of them; nil where anything else is among them.
    package func integers(_ value: PickleValue?) -> [Int]? {
        if let list = list(value) {
            let integers = list.compactMap(\.integerValue)
            return integers.count == list.count ? integers : nil
        }
        return array(value)?.integers
    }
}

extension PickleValue {
    /// The text, also of a byte string of Python 2.
    package var text: String? {
        switch self {
        case .string(let text): text
        case .bytes(let bytes): String(validating: bytes, as: UTF8.self)
        default: nil
        }
    }
}

/// An array of numpy.
package struct NumPyArray: Sendable {
    /// The sizes of its dimensions.
    package var shape: [Int] = []
    /// numpy's letter and the bytes of an element, such as `u1` or `i8`, with `>` before them if big-endian.
    package var type = ""
    /// Whether the first dimension is the one that runs fastest.
    package var isColumnMajor = false
    /// The elements.
    package var bytes: [UInt8] = []

    /// The numbers of an array of one dimension; nil for other shapes and types.
    package var integers: [Int]? {
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
