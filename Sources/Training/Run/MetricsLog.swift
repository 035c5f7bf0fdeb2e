import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The run's `metrics.jsonl`: one JSON object a line, appended as training goes.
///
/// Each checkpoint remembers how long the file was. A resumed run cuts it there, so that it reads as if
/// the run had never stopped.
public final class MetricsLog {
    /// The file's path.
    public let path: String
    /// The file's length in bytes.
    public private(set) var length: Int
    private let descriptor: Int32
    private let encoder: JSONEncoder

    /// Opens the file and cuts it to a length.
    ///
    /// - Parameters:
    ///   - path: The file; created where it does not exist.
    ///   - length: What is kept of it, in bytes. A file that is shorter stays as it is.
    /// - Throws: ``RunError`` where it cannot be written.
    public init(path: String, keeping length: Int) throws(RunError) {
        self.path = path
        encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.nonConformingFloatEncodingStrategy =
            .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw DurableFiles.failure(path) }
        let present = Int(lseek(descriptor, 0, SEEK_END))
        self.length = min(present, length)
        guard ftruncate(descriptor, off_t(self.length)) == 0,
            lseek(descriptor, off_t(self.length), SEEK_SET) >= 0
        else { throw DurableFiles.failure(path) }
    }

    deinit { close(descriptor) }

    /// Appends one record.
    public func append(_ record: some Encodable) throws(RunError) {
        var line: Data
        do {
            line = try encoder.encode(record)
        } catch {
            throw .cannotWrite(path: path, reason: "\(error)")
        }
        line.append(0x0A)
        try DurableFiles.writeAll(line, to: descriptor, path: path)
        length += line.count
    }

    /// Makes sure that all records are on the disk.
    public func synchronize() throws(RunError) {
        guard fsync(descriptor) == 0 else { throw DurableFiles.failure(path) }
    }
}
