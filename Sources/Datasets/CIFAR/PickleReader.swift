/// A machine for the few opcodes and names of Python's pickles that data sets use.
///
/// It makes values and can run nothing; every other name is refused. Work and memory are bounded by the file's size and
/// a fixed number of steps.
///
/// ## Source
/// Python, `Lib/pickletools.py` (opcodes); numpy, `numpy/_core/src/multiarray/methods.c, array_setstate`.
struct PickleReader {
    private let bytes: [UInt8]
    private let path: String
    private var at = 0
    private var stack: [PickledValue] = []
    private var marks: [Int] = []
    private var memo: [Int: PickledValue] = [:]
    private var contents = PickledContents()
    /// Every opcode, and every value that is moved or read again, costs one; the official files need some 700,000.
    private var budget = 4_000_000
    /// Bytes that may be converted, beyond those that are read once.
    private var byteBudget: Int

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - bytes: The file.
    ///   - path: Its name, for errors.
    /// - Returns: What it holds.
    /// - Throws: ``DatasetError/malformed(path:detail:)`` when it is cut short, damaged or uses anything else.
    static func read(_ bytes: [UInt8], path: String) throws(DatasetError) -> PickledContents {
        var reader = PickleReader(bytes: bytes, path: path)
        while true {
            let opcode = try reader.byte()
            try reader.charge(1)
            if opcode == UInt8(ascii: ".") { break }
            try reader.run(opcode)
        }
        reader.contents.root = try reader.pop()
        return reader.contents
    }

    private init(bytes: [UInt8], path: String) {
        self.bytes = bytes
        self.path = path
        byteBudget = 2 * bytes.count + 1024
    }

    /// Pays for steps.
    private mutating func charge(_ steps: Int) throws(DatasetError) {
        guard steps <= budget else { throw damaged("it describes more than any data set needs") }
        budget -= steps
    }

    /// A value's text, which is paid for: the same value may be used any number of times.
    private mutating func text(of value: PickledValue?) throws(DatasetError) -> String? {
        let count =
            switch value {
            case .text(let text): text.utf8.count
            case .bytes(let bytes): bytes.count
            default: 0
            }
        guard count <= byteBudget else {
            throw damaged("it describes more than any data set needs")
        }
        byteBudget -= count
        return value?.text
    }

    private mutating func run(_ opcode: UInt8) throws(DatasetError) {
        if try runScalar(opcode) { return }
        if try runContainer(opcode) { return }
        if try runMemory(opcode) { return }
        if try runObject(opcode) { return }
        throw damaged("it holds the unknown opcode \(opcode)")
    }

    // MARK: - Opcodes

    private mutating func runScalar(_ opcode: UInt8) throws(DatasetError) -> Bool {
        switch opcode {
        case UInt8(ascii: "N"): stack.append(.none)
        case 0x88: stack.append(.integer(1))
        case 0x89: stack.append(.integer(0))
        case UInt8(ascii: "K"): stack.append(.integer(Int(try byte())))
        case UInt8(ascii: "M"): stack.append(.integer(try integer(2)))
        case UInt8(ascii: "J"):
            stack.append(.integer(Int(Int32(truncatingIfNeeded: try integer(4)))))
        case 0x8A:
            let count = Int(try byte())
            guard count <= 8 else { throw damaged("it holds a number of \(count) bytes") }
            let unused = Int64(64 - 8 * count)
            let raw = Int64(truncatingIfNeeded: try integer(count))
            stack.append(.integer(count == 0 ? 0 : Int((raw << unused) >> unused)))
        case UInt8(ascii: "G"):
            let bits = try take(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            stack.append(.number(Double(bitPattern: bits)))
        case UInt8(ascii: "U"), UInt8(ascii: "C"): stack.append(.bytes(try counted(1)))
        case UInt8(ascii: "T"), UInt8(ascii: "B"): stack.append(.bytes(try counted(4)))
        case 0x8E, 0x96: stack.append(.bytes(try counted(8)))
        case 0x8C: stack.append(try text(1))
        case UInt8(ascii: "X"): stack.append(try text(4))
        case 0x8D: stack.append(try text(8))
        default: return false
        }
        return true
    }

    private mutating func runContainer(_ opcode: UInt8) throws(DatasetError) -> Bool {
        switch opcode {
        case UInt8(ascii: "("): marks.append(stack.count)
        case UInt8(ascii: "0"): _ = try pop()
        case UInt8(ascii: "1"): _ = try popToMark()
        case UInt8(ascii: "]"), UInt8(ascii: ")"): push([])
        case UInt8(ascii: "l"), UInt8(ascii: "t"): push(try popToMark())
        case 0x85, 0x86, 0x87:
            var values: [PickledValue] = []
            for _ in 0..<(opcode - 0x84) { values.append(try pop()) }
            push(values.reversed())
        case UInt8(ascii: "}"), UInt8(ascii: "d"):
            let pairs = opcode == UInt8(ascii: "d") ? try popToMark() : []
            contents.dictionaries.append([])
            stack.append(.dictionary(contents.dictionaries.count - 1))
            try insert(pairs)
        case UInt8(ascii: "a"): try append([try pop()])
        case UInt8(ascii: "e"): try append(try popToMark())
        case UInt8(ascii: "s"):
            let value = try pop()
            try insert([try pop(), value])
        case UInt8(ascii: "u"): try insert(try popToMark())
        default: return false
        }
        return true
    }

    private mutating func runMemory(_ opcode: UInt8) throws(DatasetError) -> Bool {
        switch opcode {
        case 0x80: _ = try byte()
        case 0x95: _ = try take(8)
        case UInt8(ascii: "q"): memo[Int(try byte())] = try top()
        case UInt8(ascii: "r"): memo[try integer(4)] = try top()
        case 0x94: memo[memo.count] = try top()
        case UInt8(ascii: "h"): stack.append(try recall(Int(try byte())))
        case UInt8(ascii: "j"): stack.append(try recall(try integer(4)))
        default: return false
        }
        return true
    }

    private mutating func runObject(_ opcode: UInt8) throws(DatasetError) -> Bool {
        switch opcode {
        case UInt8(ascii: "c"): stack.append(.global("\(try line()).\(try line())"))
        case 0x93:
            let (name, module) = (try text(of: try pop()), try text(of: try pop()))
            guard let name, let module else { throw damaged("it names nothing") }
            stack.append(.global("\(module).\(name)"))
        case UInt8(ascii: "R"):
            let arguments = try pop()
            guard case .global(let name) = try pop() else {
                throw damaged("it calls what is no function")
            }
            stack.append(try make(name, arguments.list(in: contents) ?? []))
        case UInt8(ascii: "b"):
            let state = try pop()
            try build(state.list(in: contents) ?? [])
        default: return false
        }
        return true
    }

    // MARK: - numpy's objects

    private mutating func make(
        _ name: String,
        _ arguments: [PickledValue]
    ) throws(DatasetError) -> PickledValue {
        switch name {
        case "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct":
            contents.arrays.append(PickledArray())
            return .array(contents.arrays.count - 1)
        case "numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer":
            contents.arrays.append(PickledArray())
            try fill(
                arguments.first,
                type: arguments.dropFirst().first,
                shape: arguments.dropFirst(2).first
            )
            contents.arrays[contents.arrays.count - 1].isColumnMajor =
                try text(of: arguments.last) == "F"
            return .array(contents.arrays.count - 1)
        case "numpy.dtype":
            guard let type = try text(of: arguments.first) else {
                throw damaged("it has an array of no type")
            }
            return .type(
                type.hasPrefix("<") || type.hasPrefix("|") ? String(type.dropFirst()) : type
            )
        case "_codecs.encode":
            // How Python 3 writes bytes in protocol 2: as a text of characters below 256.
            let text = try text(of: arguments.first) ?? ""
            var bytes: [UInt8] = []
            for scalar in text.unicodeScalars {
                guard let byte = UInt8(exactly: scalar.value) else {
                    throw damaged("it has bytes that are none")
                }
                bytes.append(byte)
            }
            return .bytes(bytes)
        case "__builtin__.bytes", "builtins.bytes", "__builtin__.bytearray", "builtins.bytearray":
            return arguments.first ?? .bytes([])
        default:
            throw damaged("it names \(String(name.prefix(100))), which no data set needs")
        }
    }

    /// Gives an array its state: version, shape, type, order and bytes.
    private mutating func build(_ state: [PickledValue]) throws(DatasetError) {
        switch try top() {
        case .type: return
        case .array(let place) where place == contents.arrays.count - 1 && state.count == 5:
            try fill(state[4], type: state[2], shape: state[1])
            contents.arrays[place].isColumnMajor = state[3].integer == 1
        default: throw damaged("it gives a state to what has none")
        }
    }

    /// Fills the array made last.
    private mutating func fill(
        _ data: PickledValue?,
        type: PickledValue?,
        shape: PickledValue?
    ) throws(DatasetError) {
        try charge(shape?.list(in: contents)?.count ?? 0)
        guard case .bytes(let bytes) = data, case .type(let type) = type,
            let sizes = shape?.integers(in: contents)
        else { throw damaged("it has an array that is not plain numbers") }
        contents.arrays[contents.arrays.count - 1] = PickledArray(
            shape: sizes,
            type: type,
            bytes: bytes
        )
    }

    // MARK: - Stack

    private func top() throws(DatasetError) -> PickledValue {
        guard stack.count > (marks.last ?? 0), let value = stack.last else {
            throw damaged("it takes from an empty stack")
        }
        return value
    }

    private mutating func pop() throws(DatasetError) -> PickledValue {
        let value = try top()
        stack.removeLast()
        return value
    }

    private mutating func popToMark() throws(DatasetError) -> [PickledValue] {
        guard let mark = marks.popLast(), mark <= stack.count else {
            throw damaged("it lacks a mark")
        }
        try charge(stack.count - mark)
        defer { stack.removeSubrange(mark...) }
        return Array(stack[mark...])
    }

    private mutating func push(_ values: [PickledValue]) {
        contents.lists.append(values)
        stack.append(.list(contents.lists.count - 1))
    }

    private mutating func append(_ values: [PickledValue]) throws(DatasetError) {
        guard case .list(let place) = try top() else {
            throw damaged("it appends to what is no list")
        }
        contents.lists[place] += values
    }

    private mutating func insert(_ pairs: [PickledValue]) throws(DatasetError) {
        guard case .dictionary(let place) = try top(), pairs.count % 2 == 0 else {
            throw damaged("it sets an item of what is no dictionary")
        }
        for index in stride(from: 0, to: pairs.count, by: 2) {
            contents.dictionaries[place].append((pairs[index], pairs[index + 1]))
        }
    }

    private func recall(_ key: Int) throws(DatasetError) -> PickledValue {
        guard let value = memo[key] else { throw damaged("it recalls what it did not keep") }
        return value
    }

    // MARK: - Bytes

    private mutating func byte() throws(DatasetError) -> UInt8 {
        guard at < bytes.count else { throw damaged("it is cut short") }
        defer { at += 1 }
        return bytes[at]
    }

    private mutating func take(_ count: Int) throws(DatasetError) -> [UInt8] {
        guard count >= 0, count <= bytes.count - at else { throw damaged("it is cut short") }
        defer { at += count }
        return Array(bytes[at..<(at + count)])
    }

    /// An unsigned little-endian number of at most 8 bytes, of which the top bit must be 0 in a length.
    private mutating func integer(_ count: Int) throws(DatasetError) -> Int {
        let value = try take(count).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Int(truncatingIfNeeded: value)
    }

    private mutating func counted(_ lengthBytes: Int) throws(DatasetError) -> [UInt8] {
        try take(try integer(lengthBytes))
    }

    private mutating func text(_ lengthBytes: Int) throws(DatasetError) -> PickledValue {
        let bytes = try counted(lengthBytes)
        return String(validating: bytes, as: UTF8.self).map(PickledValue.text) ?? .bytes(bytes)
    }

    private mutating func line() throws(DatasetError) -> String {
        guard let end = bytes[at...].prefix(300).firstIndex(of: UInt8(ascii: "\n")) else {
            throw damaged("it has a name without an end")
        }
        defer { at = end + 1 }
        return String(decoding: bytes[at..<end], as: UTF8.self)
    }

    private func damaged(_ detail: String) -> DatasetError {
        .malformed(path: path, detail: detail)
    }
}
