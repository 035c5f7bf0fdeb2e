// What the globals that a pickle may name would make.
extension PickleMachine {
    package mutating func object(_ opcode: UInt8) throws(StorageError) -> Bool {
        switch opcode {
        case UInt8(ascii: "c"):
            let module = try name(try takeLine(limit: 512))
            let global = try name(try takeLine(limit: 512))
            stack.append(try find(module, global))
        case 0x93:
            guard let name = try pop().stringValue, let module = try pop().stringValue else {
                throw malformed("names a global with something that is not a string")
            }
            stack.append(try find(module, name))
        case UInt8(ascii: "R"), 0x81:
            let arguments = try pop()
            let callable = try pop()
            stack.append(try make(callable, arguments))
        case UInt8(ascii: "b"):
            let state = try pop()
            let target = try pop()
            stack.append(try build(target, state))
        case UInt8(ascii: "Q"): stack.append(try storage(try pop()))
        default: return false
        }
        return true
    }

    private func name(_ bytes: [UInt8]) throws(StorageError) -> String {
        guard let name = String(validating: bytes, as: UTF8.self) else {
            throw malformed("names a global that is not UTF-8")
        }
        return name
    }

    private func find(_ module: String, _ name: String) throws(StorageError) -> PickleValue {
        guard let global = PickleGlobal(module: module, name: name) else {
            // A name may have any length and any characters; an error has one short line.
            let shown = "\(module).\(name)".prefix(100).map { $0.isNewline ? " " : $0 }
            throw unsupported("its pickle names \(String(shown))")
        }
        return .global(global)
    }

    private mutating func make(
        _ callable: PickleValue,
        _ arguments: PickleValue
    ) throws(StorageError) -> PickleValue {
        guard case .global(let global) = callable else {
            throw unsupported("its pickle calls \(callable.kind)")
        }
        guard case .tuple(let place) = arguments else {
            throw malformed("calls \(global.name) without a tuple of arguments")
        }
        let arguments = heap.lists[place]
        switch global.role {
        case .dictionary: return .dictionary(try dictionary(arguments, for: global))
        case .list: return .list(heap.list(try elements(arguments, for: global)))
        case .namespace: return .namespace(heap.dictionary())
        case .size: return .tuple(heap.list(try elements(arguments, for: global)))
        case .rebuildTensor: return try tensor(arguments, type: nil)
        case .rebuildTensorWithType:
            guard arguments.count > 6, case .global(let type) = arguments[6],
                case .dtype(let dtype?) = type.role
            else { throw malformed("rebuilds a tensor without a type that is known here") }
            return try tensor(arguments, type: dtype)
        case .rebuildParameter:
            guard case .tensor? = arguments.first else {
                throw malformed("creates a parameter without a tensor")
            }
            return arguments[0]
        case .rebuildFromType:
            guard arguments.count > 2 else { throw malformed("rebuilds a tensor without data") }
            if case .global(let inner) = arguments[0], case .rebuildFromType = inner.role {
                throw malformed("rebuilds a tensor from itself")
            }
            return try make(arguments[0], arguments[2])
        case .encode: return .bytes(try latin1(arguments))
        case .path: return .string(try path(arguments))
        case .numpyType:
            let name = arguments.first?.stringValue ?? ""
            return .numpyType(
                name.hasPrefix("<") || name.hasPrefix("|") ? String(name.dropFirst()) : name
            )
        case .numpyArray:
            heap.arrays.append(NumPyArray())
            return .array(heap.arrays.count - 1)
        case .numpyFromBuffer:
            guard arguments.count == 4 else { throw malformed("creates an array without data") }
            let array = try array(
                shape: arguments[2],
                type: arguments[1],
                isColumnMajor: arguments[3].stringValue == "F",
                bytes: arguments[0]
            )
            heap.arrays.append(array ?? NumPyArray())
            return .array(heap.arrays.count - 1)
        case .bytes:
            switch arguments.first {
            case .bytes(let bytes)?: return .bytes(bytes)
            // How protocol 2 writes a bytearray: a text, and the name of its encoding.
            case .string(let text)?: return .bytes(try latin1([.string(text), .string("latin1")]))
            default: return .bytes([])
            }
        case .numpyScalar: return numpyScalar(arguments)
        case .opaque: return .opaque(global.name)
        case .storage, .dtype: throw unsupported("its pickle calls \(global.name)")
        }
    }

    private mutating func build(
        _ target: PickleValue,
        _ state: PickleValue
    ) throws(StorageError) -> PickleValue {
        switch target {
        case .namespace:
            guard case .dictionary(let attributes) = state else {
                throw malformed("sets Namespace attributes that are not a dictionary")
            }
            return .namespace(attributes)
        case .array(let place):
            // The state is version, shape, type, order and elements; arrays of objects stay empty.
            guard case .tuple(let state) = state, heap.lists[state].count == 5 else {
                return target
            }
            let parts = heap.lists[state]
            let isColumnMajor =
                if case .bool(true) = parts[3] { true } else { parts[3].integerValue == 1 }
            if let array = try array(
                shape: parts[1],
                type: parts[2],
                isColumnMajor: isColumnMajor,
                bytes: parts[4]
            ) {
                heap.arrays[place] = array
            }
            return target
        case .numpyType(let name):
            // The second part of the state is the byte order.
            if case .tuple(let state) = state, heap.lists[state].count > 1,
                heap.lists[state][1].text == ">", !name.hasPrefix(">")
            {
                return .numpyType(">" + name)
            }
            return target
        // What a dictionary of PyTorch carries beside its items (`_metadata`), and details of others.
        case .dictionary, .opaque, .tensor: return target
        default: throw unsupported("its pickle changes \(target.kind)")
        }
    }

    // MARK: - Containers

    private mutating func dictionary(
        _ arguments: [PickleValue],
        for global: PickleGlobal
    ) throws(StorageError) -> Int {
        // A factory, as a defaultdict has, and None are nothing to put in.
        switch arguments.first {
        case .dictionary(let place)?:
            try charge(heap.dictionaries[place].keys.count)
            return heap.dictionary(heap.dictionaries[place])
        case .list(let place)?:
            try charge(heap.lists[place].count)
            var pairs = PickleDictionary()
            for item in heap.lists[place] {
                switch item {
                case .list(let pair), .tuple(let pair):
                    guard heap.lists[pair].count == 2 else { break }
                    pairs.keys.append(heap.lists[pair][0])
                    pairs.values.append(heap.lists[pair][1])
                    continue
                default: break
                }
                throw malformed("fills \(global.name) with something other than pairs")
            }
            return heap.dictionary(pairs)
        default: return heap.dictionary()
        }
    }

    private mutating func elements(
        _ arguments: [PickleValue],
        for global: PickleGlobal
    ) throws(StorageError) -> [PickleValue] {
        switch arguments.first {
        case nil: return []
        case .list(let place)?, .tuple(let place)?:
            try charge(heap.lists[place].count)
            return heap.lists[place]
        default: throw malformed("fills \(global.name) with something other than a list")
        }
    }

    // MARK: - Tensors

    /// A storage from what pickle calls a persistent id:
    /// `("storage", type, key, location, count)`, and a view of it in files of the older kind.
    private mutating func storage(_ id: PickleValue) throws(StorageError) -> PickleValue {
        guard case .tuple(let place) = id else {
            throw malformed("has an unknown kind of reference")
        }
        let parts = heap.lists[place]
        guard parts.count >= 5, parts[0].stringValue == "storage",
            case .global(let type) = parts[1], case .storage(let dtype) = type.role,
            let key = parts[2].stringValue, let count = parts[4].integerValue, count >= 0
        else { throw malformed("has a reference that is not a storage") }
        try charge(4)
        var start = 0
        var viewCount = count
        if parts.count > 5, case .tuple(let view) = parts[5] {
            let view = heap.lists[view]
            guard view.count == 3, let first = view[1].integerValue,
                let size = view[2].integerValue, first >= 0, size >= 0, size <= count,
                first <= count - size
            else { throw malformed("has a view outside its storage") }
            (start, viewCount) = (first, size)
        }
        heap.storages.append(
            PickleStorage(
                key: key,
                dtype: dtype,
                count: viewCount,
                start: start,
                wholeCount: count
            )
        )
        return .storage(heap.storages.count - 1)
    }

    private mutating func tensor(
        _ arguments: [PickleValue],
        type: SafetensorsDType?
    ) throws(StorageError) -> PickleValue {
        guard arguments.count >= 4, case .storage(let storage) = arguments[0],
            let offset = arguments[1].integerValue
        else { throw malformed("rebuilds a tensor without a storage or an offset") }
        guard let dtype = type ?? heap.storages[storage].dtype else {
            throw malformed("rebuilds a tensor without an element type")
        }
        let shape = try sizes(arguments[2])
        let strides = try sizes(arguments[3])
        guard shape.count == strides.count else {
            throw malformed("has a tensor with \(shape.count) sizes and \(strides.count) strides")
        }
        heap.tensors.append(
            PickleTensor(
                storage: storage,
                dtype: dtype,
                offset: offset,
                shape: shape,
                strides: strides
            )
        )
        return .tensor(heap.tensors.count - 1)
    }

    private mutating func sizes(_ value: PickleValue) throws(StorageError) -> [Int] {
        guard case .tuple(let place) = value else {
            throw malformed("has a shape that is not a tuple")
        }
        guard heap.lists[place].count <= 64 else {
            throw malformed("has a tensor of more than 64 dimensions")
        }
        try charge(4 + heap.lists[place].count)
        var sizes: [Int] = []
        for size in heap.lists[place] {
            guard let size = size.integerValue else {
                throw malformed("has a shape with \(size.kind) in it")
            }
            sizes.append(size)
        }
        return sizes
    }

    // MARK: - Arrays of numpy

    /// An array of plain numbers; nil for one of anything else.
    private mutating func array(
        shape: PickleValue,
        type: PickleValue,
        isColumnMajor: Bool,
        bytes: PickleValue
    ) throws(StorageError) -> NumPyArray? {
        guard case .numpyType(let type) = type else { return nil }
        let content: [UInt8]
        switch bytes {
        case .bytes(let bytes): content = bytes
        // Python 2 wrote its bytes as texts, and some happen to be UTF-8.
        case .string(let text): content = Array(text.utf8)
        default: return nil
        }
        return NumPyArray(
            shape: try sizes(shape),
            type: type,
            isColumnMajor: isColumnMajor,
            bytes: content
        )
    }

    // MARK: - Small things beside the weights

    /// `_codecs.encode(text, "latin1")`: how protocol 2 writes bytes.
    private mutating func latin1(_ arguments: [PickleValue]) throws(StorageError) -> [UInt8] {
        guard arguments.count == 2, let text = arguments[0].stringValue,
            let encoding = arguments[1].stringValue, encoding == "latin1" || encoding == "latin-1"
        else { throw unsupported("its pickle calls _codecs.encode in an unknown way") }
        try charge(1 + text.utf8.count / 64)
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            guard let byte = UInt8(exactly: scalar.value) else {
                throw malformed("encodes a character that latin1 does not have")
            }
            bytes.append(byte)
        }
        return bytes
    }

    private mutating func path(_ arguments: [PickleValue]) throws(StorageError) -> String {
        var path = ""
        for part in arguments {
            guard let part = part.stringValue else {
                throw malformed("has a path that is not a string")
            }
            try charge(1 + part.utf8.count / 16)
            path += path.isEmpty || path.hasSuffix("/") ? part : "/" + part
        }
        return path
    }

    private func numpyScalar(_ arguments: [PickleValue]) -> PickleValue {
        guard arguments.count == 2, case .numpyType(let type) = arguments[0],
            case .bytes(let bytes) = arguments[1]
        else { return .opaque("a numpy scalar") }
        let bits = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        switch (type, bytes.count) {
        case ("f8", 8): return .number(Double(bitPattern: bits))
        case ("f4", 4): return .number(Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))))
        case ("i8", 8): return .integer(Int(Int64(bitPattern: bits)))
        case ("i4", 4): return .integer(Int(Int32(truncatingIfNeeded: bits)))
        case ("b1", 1): return .bool(bits != 0)
        default: return .opaque("a numpy scalar")
        }
    }
}
