/// The table of contents of a safetensors file, checked against the length of the file.
///
/// A header that exists is one whose every tensor is inside the file, with as many bytes as its
/// shape and type need, none over another and no byte between them; nothing has to be checked again.
public struct SafetensorsHeader: Sendable, Equatable {
    /// One tensor's name, type, shape and place.
    public struct Entry: Sendable, Equatable {
        /// The key of the tensor.
        public let name: String

        /// The type of its elements.
        public let dtype: SafetensorsDType

        /// Its shape; empty for a scalar.
        public let shape: [Int]

        /// Its bytes, counted from the end of the header.
        public let range: Range<Int>
    }

    /// The largest header that is read, in bytes: that of some hundred thousand tensors.
    ///
    /// The reference implementation allows 100 MB, whose table would take a gigabyte of memory.
    public static let maximumSize = 16 << 20

    /// The tensors in the order of their bytes.
    public let entries: [Entry]

    /// The texts under `__metadata__`; empty where the file has none.
    public let metadata: [String: String]

    /// Reads and checks a header.
    ///
    /// - Parameters:
    ///   - json: The bytes of the header, without the eight of its length.
    ///   - dataLength: The number of bytes that follow the header in the file.
    ///   - file: The name of the file for the error.
    /// - Throws: ``StorageError/malformed(file:reason:)`` or
    ///   ``StorageError/unsupported(file:reason:)`` with the tensor that is wrong.
    public init(json: [UInt8], dataLength: Int, file: String) throws(StorageError) {
        let object = try Self.object(json, file: file)
        var entries: [Entry] = []
        var metadata: [String: String] = [:]
        for key in object.keys {
            guard let value = object[key] else { continue }
            if key == "__metadata__" {
                metadata = try Self.metadata(value, file: file)
            } else {
                entries.append(try Self.entry(key, value, file: file))
            }
        }
        entries.sort {
            ($0.range.lowerBound, $0.range.upperBound, $0.name)
                < ($1.range.lowerBound, $1.range.upperBound, $1.name)
        }
        try Self.checkCover(entries, dataLength: dataLength, file: file)
        self.entries = entries
        self.metadata = metadata
    }

    /// Reads the header of a whole file.
    ///
    /// - Returns: The header, and where the data begin in the file.
    package static func read(
        _ source: any ByteSource
    ) throws(StorageError) -> (header: SafetensorsHeader, dataStart: Int) {
        let file = source.path
        let length = source.count
        guard length >= 8 else {
            throw StorageError.malformed(
                file: file,
                reason: "it has \(length) bytes, fewer than the 8 of the header length"
            )
        }
        let size = try source.bytes(0..<8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard size <= UInt64(maximumSize) else {
            throw StorageError.malformed(
                file: file,
                reason: "its header would have \(size) bytes; it is not a safetensors file"
            )
        }
        guard size <= UInt64(length - 8) else {
            throw StorageError.malformed(
                file: file,
                reason:
                    "its header would have \(size) bytes, the file has \(length); it is cut short "
                    + "or not a safetensors file"
            )
        }
        let dataStart = 8 + Int(size)
        let json = try source.bytes(8..<dataStart)
        let header = try SafetensorsHeader(json: json, dataLength: length - dataStart, file: file)
        return (header, dataStart)
    }

    private static func object(
        _ json: [UInt8],
        file: String
    ) throws(StorageError) -> JSONObject {
        guard json.first == UInt8(ascii: "{") else {
            throw StorageError.malformed(
                file: file,
                reason: "the header does not begin with '{'"
            )
        }
        do {
            guard let object = try JSONValue.parse(json, maximumDepth: 8).objectValue else {
                throw StorageError.malformed(file: file, reason: "the header is not a JSON object")
            }
            return object
        } catch let error as JSONError {
            throw StorageError.malformed(file: file, reason: "the header is \(error)")
        } catch let error as StorageError {
            throw error
        } catch {
            throw StorageError.malformed(file: file, reason: "\(error)")
        }
    }

    private static func metadata(
        _ value: JSONValue,
        file: String
    ) throws(StorageError) -> [String: String] {
        guard let object = value.objectValue else {
            throw StorageError.malformed(file: file, reason: "__metadata__ is not an object")
        }
        var metadata: [String: String] = [:]
        for key in object.keys {
            guard let text = object[key]?.stringValue else {
                throw StorageError.malformed(
                    file: file,
                    reason: "the value of \(key) in __metadata__ is not a string"
                )
            }
            metadata[key] = text
        }
        return metadata
    }

    private static func entry(
        _ name: String,
        _ value: JSONValue,
        file: String
    ) throws(StorageError) -> Entry {
        func malformed(_ reason: String) -> StorageError {
            .malformed(file: file, reason: "tensor \(name) \(reason)")
        }
        guard let typeName = value["dtype"]?.stringValue else { throw malformed("has no dtype") }
        guard let dtype = SafetensorsDType(rawValue: typeName) else {
            throw StorageError.unsupported(
                file: file,
                reason: "tensor \(name) has the element type \(typeName), which is not supported"
            )
        }
        guard let list = value["shape"]?.arrayValue else { throw malformed("has no shape") }
        var shape: [Int] = []
        for size in list {
            guard case .integer(let size) = size, size >= 0 else {
                throw malformed("has a dimension that is not an integer of at least 0")
            }
            shape.append(size)
        }
        guard let offsets = value["data_offsets"]?.arrayValue, offsets.count == 2,
            case .integer(let start) = offsets[0], case .integer(let end) = offsets[1],
            start >= 0, end >= start
        else { throw malformed("has no valid data_offsets (two integers, 0 <= start <= end)") }
        guard let size = byteCount(shape: shape, dtype: dtype) else {
            throw malformed("has an impossible shape: \(shape)")
        }
        guard size == end - start else {
            throw malformed(
                "of shape \(shape) and type \(typeName) needs \(size) bytes, has \(end - start)"
            )
        }
        return Entry(name: name, dtype: dtype, shape: shape, range: start..<end)
    }

    private static func checkCover(
        _ entries: [Entry],
        dataLength: Int,
        file: String
    ) throws(StorageError) {
        var end = 0
        for entry in entries {
            guard entry.range.upperBound <= dataLength else {
                throw StorageError.malformed(
                    file: file,
                    reason:
                        "tensor \(entry.name) ends at byte \(entry.range.upperBound) of the data, "
                        + "of which the file has \(dataLength); the file is cut short"
                )
            }
            guard entry.range.lowerBound == end else {
                let fault =
                    entry.range.lowerBound < end ? "overlaps another" : "leaves a gap before it"
                throw StorageError.malformed(file: file, reason: "tensor \(entry.name) \(fault)")
            }
            end = entry.range.upperBound
        }
        guard end == dataLength else {
            throw StorageError.malformed(
                file: file,
                reason: "\(dataLength - end) bytes at its end do not belong to a tensor"
            )
        }
    }

    /// The number of bytes of a tensor, or nil where that is more than an `Int` holds.
    package static func byteCount(shape: [Int], dtype: SafetensorsDType) -> Int? {
        // A size of 0 makes the product 0 whatever the others are, but only if none overflows first.
        var count = dtype.byteSize
        for size in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            if overflow { return nil }
            count = product
        }
        return count
    }
}
