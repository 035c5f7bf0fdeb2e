import Storage
import Torch

/// Writes the pickle of a value with tensors in it, protocol 2, as torch.save does.
struct PickleWriter {
    private(set) var bytes: [UInt8] = [0x80, 2]

    /// The tensors, the storage of each under its place, with names for errors.
    private(set) var tensors: [(name: String, tensor: Tensor)] = []

    /// Writes a value.
    ///
    /// - Parameter value: The value.
    /// - Throws: ``CheckpointError`` where a state has one name twice, or a type is one that PyTorch's storages do not have.
    init(_ value: PyTorchValue) throws(CheckpointError) {
        try write(value, named: "")
        op(".")
    }

    private mutating func write(
        _ value: PyTorchValue,
        named name: String
    ) throws(CheckpointError) {
        func inner(_ part: some CustomStringConvertible) -> String {
            name.isEmpty ? "\(part)" : "\(name).\(part)"
        }
        switch value {
        case .tensor(let value): try tensor(value, named: name)
        case .stateDict(let state): try stateDict(state, inner)
        case .dictionary(let pairs):
            op("}")
            op("(")
            for (key, value) in pairs {
                text(key)
                try write(value, named: inner(key))
            }
            op("u")
        case .numbered(let pairs):
            op("}")
            op("(")
            for (key, value) in pairs {
                integer(key)
                try write(value, named: inner(key))
            }
            op("u")
        case .list(let items):
            op("]")
            op("(")
            for (place, item) in items.enumerated() { try write(item, named: inner(place)) }
            op("e")
        case .tuple(let items):
            op("(")
            for (place, item) in items.enumerated() { try write(item, named: inner(place)) }
            op("t")
        case .text(let value): text(value)
        case .integer(let value): integer(value)
        case .number(let value): number(value)
        case .flag(let value): bytes.append(value ? 0x88 : 0x89)
        case .none: op("N")
        }
    }

    private mutating func stateDict(
        _ state: [(name: String, tensor: Tensor)],
        _ inner: (String) -> String
    ) throws(CheckpointError) {
        var names: Set<String> = []
        orderedDictionary()
        op("(")
        for (name, value) in state {
            guard names.insert(name).inserted else {
                throw CheckpointError.tensor(name: inner(name), reason: "the name occurs twice")
            }
            text(name)
            try tensor(value, named: inner(name))
        }
        op("u")
    }

    private static func storageName(_ dtype: SafetensorsDType) -> String? {
        switch dtype {
        case .float32: "FloatStorage"
        case .float64: "DoubleStorage"
        case .float16: "HalfStorage"
        case .bfloat16: "BFloat16Storage"
        case .int64: "LongStorage"
        case .int32: "IntStorage"
        case .int16: "ShortStorage"
        case .int8: "CharStorage"
        case .uint8: "ByteStorage"
        case .bool: "BoolStorage"
        case .uint16, .uint32, .uint64, .float8E5M2, .float8E4M3: nil
        }
    }

    private mutating func op(_ opcode: Unicode.Scalar) { bytes.append(UInt8(ascii: opcode)) }

    private mutating func global(_ module: String, _ name: String) {
        op("c")
        bytes += Array("\(module)\n\(name)\n".utf8)
    }

    private mutating func text(_ text: String) {
        op("X")
        bytes.append(text.utf8.count, bytes: 4)
        bytes += Array(text.utf8)
    }

    private mutating func integer(_ value: Int) {
        if let small = UInt8(exactly: value) {
            op("K")
            bytes.append(small)
        } else if Int32(exactly: value) != nil {
            op("J")
            bytes.append(value, bytes: 4)
        } else {
            bytes += [0x8A, 8]
            bytes.append(value, bytes: 8)
        }
    }

    private mutating func number(_ value: Double) {
        op("G")
        withUnsafeBytes(of: value.bitPattern.bigEndian) { bytes += Array($0) }
    }

    private mutating func sizes(_ sizes: [Int]) {
        op("(")
        for size in sizes { integer(size) }
        op("t")
    }

    private mutating func orderedDictionary() {
        global("collections", "OrderedDict")
        op(")")
        op("R")
    }

    private mutating func tensor(
        _ tensor: Tensor,
        named name: String
    ) throws(CheckpointError) {
        let dtype = SafetensorsDType(tensor.dtype)
        guard let storage = Self.storageName(dtype) else {
            throw CheckpointError.tensor(name: name, reason: "PyTorch lacks the type \(dtype)")
        }
        let place = tensors.count
        tensors.append((name, tensor))
        global("torch._utils", "_rebuild_tensor_v2")
        op("(")
        op("(")
        text("storage")
        global("torch", storage)
        text("\(place)")
        text("cpu")
        integer(tensor.elementCount)
        op("t")
        op("Q")
        integer(0)
        sizes(tensor.shape)
        var strides: [Int] = []
        var stride = 1
        for size in tensor.shape.reversed() {
            strides.append(stride)
            stride *= max(size, 1)
        }
        sizes(strides.reversed())
        bytes.append(0x89)
        orderedDictionary()
        op("t")
        op("R")
    }
}
