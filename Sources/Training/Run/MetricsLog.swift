import Foundation

/// The run's `metrics.jsonl`: one JSON object a line, appended as training goes.
///
/// Each checkpoint remembers how long the file was. A resumed run cuts it there, so that it reads as if
/// the run had never stopped.
public final class MetricsLog {
    /// The file's path.
    public var path: String { file.path }
    /// The file's length in bytes.
    public var length: Int { file.length }
    private let file: AppendedFile
    private let encoder: JSONEncoder

    /// Opens the file and cuts it to a length.
    ///
    /// - Parameters:
    ///   - path: The file; created where it does not exist.
    ///   - length: What is kept of it, in bytes. A file that is shorter stays as it is.
    /// - Throws: ``RunError`` where it cannot be written.
    public init(path: String, keeping length: Int) throws(RunError) {
        encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.nonConformingFloatEncodingStrategy =
            .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        file = try AppendedFile(path: path, keeping: length)
    }

    /// Appends one record.
    public func append(_ record: some Encodable) throws(RunError) {
        var line: Data
        do {
            line = try encoder.encode(record)
        } catch {
            throw .cannotWrite(path: path, reason: "\(error)")
        }
        line.append(0x0A)
        try file.append(line)
    }

    /// Makes sure that all records are on the disk.
    public func synchronize() throws(RunError) { try file.synchronize() }
}
