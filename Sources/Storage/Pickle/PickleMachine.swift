/// Interprets a pickle as far as a state dict or a data set needs it, and runs nothing.
///
/// It knows the opcodes of protocol 2, and those of protocols 3 to 5 that torch's files use, and the
/// names of ``PickleGlobal``; anything else is an error that names it. Work, and with it memory, is
/// bounded whatever the bytes say.
///
/// ## Source
/// CPython, `Lib/pickletools.py` (the opcodes); torch 2.13, `torch/_weights_only_unpickler.py`.
package struct PickleMachine {
    /// What a pickle is read for, as the errors say it.
    package enum Use: Sendable {
        case weights
        case dataSet

        fileprivate var need: String {
            switch self {
            case .weights: "weights need"
            case .dataSet: "data sets need"
            }
        }

        fileprivate var noNeed: String {
            switch self {
            case .weights: "weights do not need"
            case .dataSet: "data sets do not need"
            }
        }
    }

    /// The longest pickle of weights that is read, in bytes; most have some hundred thousand.
    package static let maximumSize = 32 << 20

    package private(set) var cursor: ByteCursor
    package var heap = PickleHeap()
    package var stack: [PickleValue] = []
    private var marks: [Int] = []
    private var memo: [Int: PickleValue] = [:]
    // Every value made, kept or moved costs one; a value takes some tens of bytes.
    private var budget: Int

    private let use: Use

    /// Creates a machine that begins at a cursor.
    package init(_ cursor: ByteCursor, for use: Use = .weights) {
        self.cursor = cursor
        self.use = use
        // A data set's file holds its images, which may stand in it as text.
        budget = 2_000_000 + (use == .dataSet ? (cursor.end - cursor.position) / 32 : 0)
    }

    /// Runs to the end of the pickle.
    ///
    /// - Returns: The value that the pickle describes.
    /// - Throws: ``StorageError`` for anything that weights do not need, and for damage.
    package mutating func run() throws(StorageError) -> PickleValue {
        while true {
            let opcode = try cursor.byte()
            try charge(1)
            if opcode == UInt8(ascii: ".") { return try pop() }
            if try scalar(opcode) { continue }
            if try text(opcode) { continue }
            if try container(opcode) { continue }
            if try memory(opcode) { continue }
            if try object(opcode) { continue }
            throw unsupported("its pickle uses the opcode \(Self.name(of: opcode))")
        }
    }

    // MARK: - Errors and bounds

    package func malformed(_ reason: String) -> StorageError {
        .malformed(file: cursor.source.path, reason: "its pickle \(reason)")
    }

    package func unsupported(_ reason: String) -> StorageError {
        .unsupported(
            file: cursor.source.path,
            reason: "\(reason), which \(use.noNeed); nothing was executed"
        )
    }

    package mutating func charge(_ cost: Int) throws(StorageError) {
        guard cost <= budget else { throw malformed("describes more than \(use.need)") }
        budget -= cost
    }

    private static func name(of opcode: UInt8) -> String {
        let hexadecimal = "0x" + String(opcode, radix: 16)
        let isPrintable = (0x21..<0x7F).contains(opcode)
        return isPrintable
            ? "'\(Character(UnicodeScalar(opcode)))' (\(hexadecimal))" : hexadecimal
    }

    package mutating func takeLine(limit: Int) throws(StorageError) -> [UInt8] {
        try cursor.line(limit: limit)
    }

    // MARK: - Stack

    package mutating func pop() throws(StorageError) -> PickleValue {
        guard stack.count > (marks.last ?? 0), let value = stack.popLast() else {
            throw malformed("takes more values than it created")
        }
        return value
    }

    package mutating func popToMark() throws(StorageError) -> [PickleValue] {
        guard let mark = marks.popLast(), mark <= stack.count else {
            throw malformed("closes a group that was not opened")
        }
        let values = Array(stack[mark...])
        stack.removeSubrange(mark...)
        return values
    }

    private func top() throws(StorageError) -> PickleValue {
        guard stack.count > (marks.last ?? 0), let value = stack.last else {
            throw malformed("uses a value that does not exist")
        }
        return value
    }

    // MARK: - Opcodes

    private mutating func scalar(_ opcode: UInt8) throws(StorageError) -> Bool {
        switch opcode {
        case UInt8(ascii: "N"): stack.append(.none)
        case 0x88: stack.append(.bool(true))
        case 0x89: stack.append(.bool(false))
        case UInt8(ascii: "K"): stack.append(.integer(Int(try cursor.byte())))
        case UInt8(ascii: "M"): stack.append(.integer(Int(try cursor.integer(bytes: 2))))
        case UInt8(ascii: "J"):
            let bits = UInt32(truncatingIfNeeded: try cursor.integer(bytes: 4))
            stack.append(.integer(Int(Int32(bitPattern: bits))))
        case 0x8A: stack.append(try long(length: Int(try cursor.byte())))
        case 0x8B: stack.append(try long(length: Int(try cursor.integer(bytes: 4))))
        case UInt8(ascii: "G"):
            let bits = try cursor.take(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            stack.append(.number(Double(bitPattern: bits)))
        default: return false
        }
        return true
    }

    /// A number of any length, two's complement; those that no `Int` holds stay unread.
    private mutating func long(length: Int) throws(StorageError) -> PickleValue {
        let bytes = try cursor.take(length)
        guard length <= 8 else { return .opaque("a number of \(length) bytes") }
        var bits: UInt64 = (bytes.last ?? 0) >= 0x80 ? .max : 0
        for byte in bytes.reversed() { bits = bits << 8 | UInt64(byte) }
        return .integer(Int(Int64(bitPattern: bits)))
    }

    private mutating func text(_ opcode: UInt8) throws(StorageError) -> Bool {
        switch opcode {
        case UInt8(ascii: "X"): try pushText(lengthBytes: 4)
        case 0x8C: try pushText(lengthBytes: 1)
        case 0x8D: try pushText(lengthBytes: 8)
        // Python 2 wrote its texts as bytes.
        case UInt8(ascii: "U"): try pushText(lengthBytes: 1, isBytesOtherwise: true)
        case UInt8(ascii: "T"): try pushText(lengthBytes: 4, isBytesOtherwise: true)
        case UInt8(ascii: "C"): stack.append(.bytes(Array(try counted(1))))
        case UInt8(ascii: "B"): stack.append(.bytes(Array(try counted(4))))
        case 0x8E, 0x96: stack.append(.bytes(Array(try counted(8))))
        default: return false
        }
        return true
    }

    private mutating func counted(_ lengthBytes: Int) throws(StorageError) -> ArraySlice<UInt8> {
        let length = try cursor.integer(bytes: lengthBytes)
        guard let length = Int(exactly: length) else { throw malformed("has a string without end") }
        return try cursor.take(length)
    }

    private mutating func pushText(
        lengthBytes: Int,
        isBytesOtherwise: Bool = false
    ) throws(StorageError) {
        let bytes = try counted(lengthBytes)
        if let text = String(validating: bytes, as: UTF8.self) {
            stack.append(.string(text))
        } else if isBytesOtherwise {
            stack.append(.bytes(Array(bytes)))
        } else {
            // Python lets half a surrogate pair pass; no key of a tensor has one.
            stack.append(.opaque("a string that is not UTF-8"))
        }
    }

    private mutating func container(_ opcode: UInt8) throws(StorageError) -> Bool {
        switch opcode {
        case UInt8(ascii: "("): marks.append(stack.count)
        case UInt8(ascii: "0"): _ = try pop()
        case UInt8(ascii: "1"): _ = try popToMark()
        case UInt8(ascii: "2"): stack.append(try top())
        case UInt8(ascii: "]"), 0x8F: stack.append(.list(heap.list([])))
        case UInt8(ascii: "}"): stack.append(.dictionary(heap.dictionary()))
        case UInt8(ascii: ")"): stack.append(.tuple(heap.list([])))
        case UInt8(ascii: "t"): stack.append(.tuple(heap.list(try popToMark())))
        case UInt8(ascii: "l"), 0x91: stack.append(.list(heap.list(try popToMark())))
        case UInt8(ascii: "d"):
            let pairs = try popToMark()
            let place = heap.dictionary()
            try insert(pairs, into: place)
            stack.append(.dictionary(place))
        case 0x85, 0x86, 0x87:
            var values: [PickleValue] = []
            for _ in 0..<Int(opcode - 0x84) { values.append(try pop()) }
            stack.append(.tuple(heap.list(values.reversed())))
        case UInt8(ascii: "a"): try append([try pop()])
        case UInt8(ascii: "e"), 0x90: try append(try popToMark())
        case UInt8(ascii: "s"):
            let value = try pop()
            let key = try pop()
            try insert([key, value])
        case UInt8(ascii: "u"): try insert(try popToMark())
        default: return false
        }
        return true
    }

    private mutating func append(_ values: [PickleValue]) throws(StorageError) {
        guard case .list(let place) = try top() else {
            throw malformed("appends to \(try top().kind), which is not a list")
        }
        heap.lists[place].append(contentsOf: values)
    }

    private mutating func insert(_ pairs: [PickleValue]) throws(StorageError) {
        switch try top() {
        case .dictionary(let place): try insert(pairs, into: place)
        case let other: throw malformed("sets an item of \(other.kind), which is not a dictionary")
        }
    }

    private mutating func insert(_ pairs: [PickleValue], into place: Int) throws(StorageError) {
        guard pairs.count % 2 == 0 else { throw malformed("has a key without a value") }
        for index in stride(from: 0, to: pairs.count, by: 2) {
            heap.dictionaries[place].keys.append(pairs[index])
            heap.dictionaries[place].values.append(pairs[index + 1])
        }
    }

    private mutating func memory(_ opcode: UInt8) throws(StorageError) -> Bool {
        switch opcode {
        case UInt8(ascii: "q"): try remember(Int(try cursor.byte()))
        case UInt8(ascii: "r"): try remember(Int(try cursor.integer(bytes: 4)))
        case 0x94: try remember(memo.count)
        case UInt8(ascii: "h"): stack.append(try recall(Int(try cursor.byte())))
        case UInt8(ascii: "j"): stack.append(try recall(Int(try cursor.integer(bytes: 4))))
        case 0x80:
            let version = try cursor.byte()
            guard version <= 5 else { throw unsupported("its pickle has the protocol \(version)") }
        case 0x95: _ = try cursor.integer(bytes: 8)
        default: return false
        }
        return true
    }

    private mutating func remember(_ key: Int) throws(StorageError) {
        memo[key] = try top()
        guard memo.count <= 1_000_000 else {
            throw malformed("stores more than \(use.need)")
        }
    }

    private func recall(_ key: Int) throws(StorageError) -> PickleValue {
        guard let value = memo[key] else { throw malformed("recalls a value that was not stored") }
        return value
    }
}
