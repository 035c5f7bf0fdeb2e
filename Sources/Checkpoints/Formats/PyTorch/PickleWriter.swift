/// Writes the pickle of a state dict, protocol 2, as torch.save does.
struct PickleWriter {
    private(set) var bytes: [UInt8] = [0x80, 2]

    /// The pickle of an ordered dictionary of tensors, the storage of each under its number.
    ///
    /// - Parameters:
    ///   - tensors: The tensors' descriptions, in order.
    ///   - key: A name under which an outer dictionary holds the state dict; nil for none.
    /// - Returns: The pickle; nil where a type is one that PyTorch's storages do not have.
    static func stateDict(_ tensors: [ArchivedTensor], under key: String?) -> [UInt8]? {
        var writer = PickleWriter()
        if let key {
            writer.op("}")
            writer.text(key)
        }
        writer.orderedDictionary()
        writer.op("(")
        for (place, tensor) in tensors.enumerated() {
            guard let storage = storageName(tensor.dtype) else { return nil }
            writer.text(tensor.name)
            writer.tensor(tensor, storage: storage, place: place)
        }
        writer.op("u")
        if key != nil { writer.op("s") }
        writer.op(".")
        return writer.bytes
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

    private mutating func tensor(_ tensor: ArchivedTensor, storage: String, place: Int) {
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
