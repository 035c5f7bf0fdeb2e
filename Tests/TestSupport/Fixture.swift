public import Foundation

/// What can be wrong with a fixture.
public enum FixtureError: Error, CustomStringConvertible {
    /// The file does not follow the safetensors format.
    case malformed(file: String, reason: String)

    /// A tensor is not in the file.
    case noTensor(name: String, file: String)

    /// A tensor has another type than the caller asked for.
    case wrongType(name: String, found: String)

    /// The sentence for a failure's message.
    public var description: String {
        switch self {
        case .malformed(let file, let reason): "\(file): \(reason)"
        case .noTensor(let name, let file): "\(file) holds no tensor `\(name)`"
        case .wrongType(let name, let found): "`\(name)` is \(found)"
        }
    }
}

/// A safetensors file of expected numbers.
///
/// It is read by code of its own, not by the Checkpoints module, so that a mistake there cannot hide itself.
public struct Fixture {
    /// One tensor of the file.
    public struct Entry {
        /// Its size along every dimension.
        public let shape: [Int]

        fileprivate let dtype: String
        fileprivate let bytes: Data
    }

    /// The tensors by name.
    public let entries: [String: Entry]

    /// What the file says of itself.
    public let metadata: [String: String]

    private let file: String

    /// Reads a whole file.
    ///
    /// - Parameter url: The safetensors file.
    /// - Throws: ``FixtureError`` or the error of reading.
    public init(_ url: URL) throws {
        let data = try Data(contentsOf: url)
        file = url.lastPathComponent
        func malformed(_ reason: String) -> FixtureError {
            .malformed(file: url.path, reason: reason)
        }

        guard data.count >= 8 else { throw malformed("shorter than its header's length") }
        let length = data.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(data.count - 8) else {
            throw malformed("the header is longer than the file")
        }
        let payload = 8 + Int(length)
        guard
            let header = try JSONSerialization.jsonObject(with: data[8..<payload])
                as? [String: [String: Any]]
        else {
            throw malformed("the header is not an object of objects")
        }
        var entries: [String: Entry] = [:]
        for (name, fields) in header where name != "__metadata__" {
            guard let dtype = fields["dtype"] as? String, let shape = fields["shape"] as? [Int],
                let offsets = fields["data_offsets"] as? [Int], offsets.count == 2,
                0 <= offsets[0], offsets[0] <= offsets[1], offsets[1] <= data.count - payload
            else { throw malformed("`\(name)` is not described as a tensor within the file") }
            let bytes = data.subdata(in: payload + offsets[0]..<payload + offsets[1])
            guard let size = Self.sizes[dtype], bytes.count == shape.reduce(size, *) else {
                throw malformed("`\(name)` is \(dtype) \(shape) in \(bytes.count) bytes")
            }
            entries[name] = Entry(shape: shape, dtype: dtype, bytes: bytes)
        }
        self.entries = entries
        metadata = header["__metadata__"] as? [String: String] ?? [:]
    }

    private static let sizes = ["F32": 4, "BF16": 2, "I64": 8]

    /// The names in alphabetical order.
    public var names: [String] { entries.keys.sorted() }

    /// A tensor's shape.
    ///
    /// - Parameter name: The tensor's name.
    /// - Returns: The size along every dimension.
    /// - Throws: ``FixtureError/noTensor(name:file:)``.
    public func shape(_ name: String) throws -> [Int] { try entry(name).shape }

    /// A tensor's values, from fp32 or bf16.
    ///
    /// - Parameter name: The tensor's name.
    /// - Returns: The values in row-major order.
    /// - Throws: ``FixtureError`` when it is absent or holds integers.
    public func floats(_ name: String) throws -> [Float] {
        let entry = try entry(name)
        switch entry.dtype {
        case "F32": return entry.bytes.elements(of: Float.self)
        case "BF16":
            return entry.bytes.elements(of: UInt16.self).map { Float(bitPattern: UInt32($0) << 16) }
        default: throw FixtureError.wrongType(name: name, found: entry.dtype)
        }
    }

    /// A tensor's integers.
    ///
    /// - Parameter name: The tensor's name.
    /// - Returns: The integers in row-major order.
    /// - Throws: ``FixtureError`` when it is absent or holds something else.
    public func integers(_ name: String) throws -> [Int64] {
        let entry = try entry(name)
        guard entry.dtype == "I64" else {
            throw FixtureError.wrongType(name: name, found: entry.dtype)
        }
        return entry.bytes.elements(of: Int64.self)
    }

    private func entry(_ name: String) throws -> Entry {
        guard let entry = entries[name] else { throw FixtureError.noTensor(name: name, file: file) }
        return entry
    }

    /// The flat indices that the fixture scripts keep of a tensor with many elements.
    ///
    /// All of them up to the limit; else 0, 7919, 2 · 7919 … modulo the count (`sample` in Tools/parity/fixture.py).
    ///
    /// - Parameters:
    ///   - count: The number of elements.
    ///   - limit: How many are kept at most.
    /// - Returns: The indices, in the order of the samples.
    public static func sampleIndices(count: Int, limit: Int) -> [Int] {
        count <= limit ? Array(0..<count) : (0..<limit).map { $0 * 7919 % count }
    }
}

extension Data {
    // All of this package's platforms are little-endian, as the format is, so the bytes are the elements. A loop over
    // them would take seconds for a whole model in a debug build.
    fileprivate func elements<T: BitwiseCopyable>(of type: T.Type) -> [T] {
        let size = MemoryLayout<T>.size
        return [T](unsafeUninitializedCapacity: count / size) { buffer, filled in
            filled = copyBytes(to: buffer) / size
        }
    }
}
