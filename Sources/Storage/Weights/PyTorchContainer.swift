/// A PyTorch file taken apart: the value that its pickle describes, and where its storages are.
package struct PyTorchContainer {
    /// The number that a file of the older kind begins with, as a pickle: 0x1950A86A20F9469CFC6C.
    package static let magic: [UInt8] = [
        0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19,
    ]

    package let root: PickleValue
    package let heap: PickleHeap
    package let storageRange: (String) throws(StorageError) -> Range<Int>?

    /// Puts a container together from what its pickle describes.
    ///
    /// - Parameters:
    ///   - root: The value.
    ///   - heap: What the value refers to.
    ///   - storageRange: A function that returns where the storage of a key is; nil if it is missing.
    package init(
        root: PickleValue,
        heap: PickleHeap,
        storageRange: @escaping (String) throws(StorageError) -> Range<Int>?
    ) {
        self.root = root
        self.heap = heap
        self.storageRange = storageRange
    }

    /// Opens the newer kind, a zip archive.
    package static func zip(_ source: any ByteSource) throws(StorageError) -> PyTorchContainer {
        let directory = try ZipDirectory(source)
        guard let pickle = directory.entries.first(where: { isPickle($0.name) }) else {
            let isNumPy = directory.entries.contains { $0.name.hasSuffix(".npy") }
            throw StorageError.unsupported(
                file: source.path,
                reason: isNumPy
                    ? "it is an archive of NumPy arrays, not a PyTorch file"
                    : "it is a zip archive without data.pkl, so not a PyTorch file"
            )
        }
        let root = String(pickle.name.dropLast("data.pkl".count))
        if directory.entry(root + "constants.pkl") != nil {
            throw StorageError.unsupported(
                file: source.path,
                reason: "it is a TorchScript program; save its state_dict() with torch.save instead"
            )
        }
        try checkByteOrder(directory, root, source)
        let range = try directory.range(of: pickle)
        guard range.count <= PickleMachine.maximumSize else {
            throw StorageError.malformed(
                file: source.path,
                reason: "its pickle has \(range.count) bytes, more than weights need"
            )
        }
        var machine = PickleMachine(ByteCursor(source, range))
        let value = try machine.run()
        return PyTorchContainer(root: value, heap: machine.heap) { key throws(StorageError) in
            guard let entry = directory.entry("\(root)data/\(key)") else { return nil }
            return try directory.range(of: entry)
        }
    }

    private static func isPickle(_ name: String) -> Bool {
        name == "data.pkl"
            || name.hasSuffix("/data.pkl") && name.filter { $0 == "/" }.count == 1
    }

    private static func checkByteOrder(
        _ directory: ZipDirectory,
        _ root: String,
        _ source: any ByteSource
    ) throws(StorageError) {
        guard let entry = directory.entry(root + "byteorder") else { return }
        let range = try directory.range(of: entry)
        let order = String(decoding: try source.bytes(range.prefix(16)), as: UTF8.self)
        guard order != "big" else { throw bigEndian(source) }
        guard order == "little" else {
            throw StorageError.malformed(file: source.path, reason: "its byte order is unknown")
        }
    }

    fileprivate static func bigEndian(_ source: any ByteSource) -> StorageError {
        .unsupported(
            file: source.path,
            reason:
                "it was written on a big-endian machine; load it with PyTorch there and save it again"
        )
    }

    /// Where the bytes of a storage are in the file, checked to be as many as its elements need.
    package func range(of storage: PickleStorage, file: String) throws(StorageError) -> Range<Int> {
        guard let whole = try storageRange(storage.key) else {
            throw StorageError.malformed(
                file: file,
                reason: "it lacks the storage \(storage.key.debugDescription); it is cut short"
            )
        }
        let (needed, overflow) = storage.wholeCount.multipliedReportingOverflow(
            by: storage.elementSize
        )
        guard !overflow, needed <= whole.count else {
            throw StorageError.malformed(
                file: file,
                reason: "its storage \(storage.key.debugDescription) has \(whole.count) bytes, "
                    + "\(storage.wholeCount) elements of \(storage.elementSize) bytes were expected"
            )
        }
        let start = whole.lowerBound + storage.start * storage.elementSize
        return start..<start + storage.count * storage.elementSize
    }
}

extension PyTorchContainer {
    /// Opens the older kind: five pickles (a number, the protocol, the system, the value, the keys of
    /// the storages), then each storage after its number of elements.
    ///
    /// ## Source
    /// torch 2.13, `torch/serialization.py`, `_legacy_save` and `_legacy_load`.
    package static func legacy(_ source: any ByteSource) throws(StorageError) -> PyTorchContainer {
        var cursor = ByteCursor(source, 0..<min(source.count, PickleMachine.maximumSize))
        func next() throws(StorageError) -> (PickleValue, PickleHeap) {
            var machine = PickleMachine(cursor)
            let value = try machine.run()
            cursor = machine.cursor
            return (value, machine.heap)
        }
        _ = try next()
        guard try next().0.integerValue == 1001 else {
            throw StorageError.unsupported(
                file: source.path,
                reason: "it has an unknown version of PyTorch's older format"
            )
        }
        try checkSystem(try next(), source)
        let (root, heap) = try next()
        let (keys, keyHeap) = try next()
        guard case .list(let place) = keys else {
            throw StorageError.malformed(
                file: source.path,
                reason: "the list of storage keys is missing"
            )
        }
        let ranges = try storages(
            keyHeap.lists[place].map(\.stringValue),
            heap,
            source,
            from: cursor.position
        )
        return PyTorchContainer(root: root, heap: heap) { ranges[$0] }
    }

    private static func checkSystem(
        _ system: (value: PickleValue, heap: PickleHeap),
        _ source: any ByteSource
    ) throws(StorageError) {
        guard case .dictionary(let place) = system.value else {
            throw StorageError.malformed(
                file: source.path,
                reason: "it does not name the system that it was written on"
            )
        }
        let dictionary = system.heap.dictionaries[place]
        for (index, key) in dictionary.keys.enumerated() where key.stringValue == "little_endian" {
            if case .bool(false) = dictionary.values[index] { throw bigEndian(source) }
        }
    }

    private static func storages(
        _ keys: [String?],
        _ heap: PickleHeap,
        _ source: any ByteSource,
        from start: Int
    ) throws(StorageError) -> [String: Range<Int>] {
        func malformed(_ reason: String) -> StorageError {
            .malformed(file: source.path, reason: reason)
        }
        var elementSizes: [String: Int] = [:]
        for storage in heap.storages { elementSizes[storage.key] = storage.elementSize }
        var ranges: [String: Range<Int>] = [:]
        var place = start
        for key in keys {
            guard let key, let elementSize = elementSizes[key] else {
                throw malformed("it has a storage that no tensor uses")
            }
            var header = ByteCursor(source, place..<place + 8)
            guard header.end - header.position == 8,
                let count = Int(exactly: try header.integer(bytes: 8)),
                case (let size, let overflow) = count.multipliedReportingOverflow(by: elementSize),
                !overflow, size <= source.count - place - 8
            else { throw malformed("its storage \(key.debugDescription) is cut short") }
            guard ranges.updateValue(place + 8..<place + 8 + size, forKey: key) == nil else {
                throw malformed("it has the storage \(key.debugDescription) twice")
            }
            place += 8 + size
        }
        return ranges
    }
}
