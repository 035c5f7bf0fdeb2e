import Foundation

/// The run's event file: the numbers of `metrics.jsonl` for TensorBoard, `tensorboard --logdir RUN`.
///
/// A record is the length of a message (8 bytes, little-endian), that length's checksum, the message and its checksum
/// (TensorFlow's TFRecord). The message is a protocol buffer `tensorflow.Event`. One file for the whole run: a resumed
/// run cuts it where its checkpoint stood, as it does `metrics.jsonl`.
///
/// ## Source
/// `tensorboard/compat/proto/event.proto` and `summary.proto`; `tensorboard/summary/writer/record_writer.py`.
public final class EventLog {
    /// The file's length in bytes.
    public var length: Int { file.length }
    private let file: AppendedFile

    /// Opens the file and cuts it to a length.
    ///
    /// - Parameters:
    ///   - path: The file, whose name must hold `tfevents`; created where it does not exist.
    ///   - length: What is kept of it, in bytes.
    ///   - time: The time of the file's first record, in seconds since 1970.
    /// - Throws: ``RunError`` where it cannot be written.
    public init(path: String, keeping length: Int, time: Double) throws(RunError) {
        file = try AppendedFile(path: path, keeping: length)
        guard file.length == 0 else { return }
        var event = ProtocolBuffer()
        event.append(field: 1, double: time)
        event.append(field: 3, bytes: Data("brain.Event:2".utf8))
        try file.append(Self.record(event.data))
    }

    /// Appends one event with several numbers.
    ///
    /// - Parameters:
    ///   - values: Names, with `/` between a group and its members, and numbers, which may be infinite or NaN.
    ///   - step: The step that they belong to.
    ///   - time: When they were measured, in seconds since 1970.
    /// - Throws: ``RunError`` where the file cannot be written.
    public func append(
        _ values: [(name: String, value: Double)],
        step: Int,
        time: Double
    ) throws(RunError) {
        try file.append(Self.record(Self.event(values, step: step, time: time)))
    }

    /// Makes sure that all records are on the disk.
    public func synchronize() throws(RunError) { try file.synchronize() }

    // MARK: - The form

    static func event(_ values: [(name: String, value: Double)], step: Int, time: Double) -> Data {
        var summary = ProtocolBuffer()
        for (name, value) in values {
            var scalar = ProtocolBuffer()
            scalar.append(field: 1, bytes: Data(name.utf8))
            scalar.append(field: 2, float: Float(value))
            summary.append(field: 1, bytes: scalar.data)
        }
        var event = ProtocolBuffer()
        event.append(field: 1, double: time)
        event.append(field: 2, integer: UInt64(max(0, step)))
        event.append(field: 5, bytes: summary.data)
        return event.data
    }

    static func record(_ message: Data) -> Data {
        let length = littleEndian(UInt64(message.count))
        return length + littleEndian(CRC32C.masked(length))
            + message + littleEndian(CRC32C.masked(message))
    }

    private static func littleEndian(_ value: some FixedWidthInteger) -> Data {
        withUnsafeBytes(of: value.littleEndian) { Data($0) }
    }
}
