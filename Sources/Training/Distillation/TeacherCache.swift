import Checkpoints
import Foundation
import Storage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file of a teacher's answers, one slot for the images of a step.
///
/// ```
/// 8192 bytes    a line of text, then what the answers depend on as JSON, then spaces
/// slot 0        magic, CRC-32C, number of the slot; then the logits, [batch, classes] of little-endian float32
/// slot 1 …      at 8192 + number × size; number = epoch × steps of an epoch + step
/// ```
///
/// A slot that was never written is a hole of zeros, and one that a killed process wrote in part has a wrong checksum:
/// both are computed again. So the file needs no order and no end, and several runs may fill it at the same time: they
/// would write the same.
final class TeacherCache {
    /// The file.
    let path: String
    private let key: TeacherCacheKey
    private let descriptor: Int32
    private let limit: Int
    private var canWrite: Bool

    private static let headerSize = 8_192
    private static let slotHeader = 16
    private static let title = "deit: a teacher's answers\n"
    private static let magic: UInt32 = 0x5444_4331

    /// Opens a file, or creates it.
    ///
    /// - Parameters:
    ///   - path: The file; the folders above it are created.
    ///   - key: What its answers must depend on.
    ///   - limit: The largest size in bytes.
    /// - Throws: ``TeacherCacheError`` where it holds something else, and ``RunError`` where it cannot be created.
    init(path: String, key: TeacherCacheKey, limit: Int) throws {
        let exists = try Self.check(path, key)
        if !exists {
            try DurableFiles.createFolder(DurableFiles.folder(of: path))
            try AtomicFile.write(try Self.header(key), to: path)
        }
        var descriptor = open(path, O_RDWR | O_CLOEXEC)
        canWrite = descriptor >= 0
        if descriptor < 0 { descriptor = open(path, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw DurableFiles.failure(path) }
        self.path = path
        self.key = key
        self.descriptor = descriptor
        self.limit = limit
    }

    deinit { close(descriptor) }

    /// The bytes of one slot.
    private var slotSize: Int { Self.slotHeader + key.batch * key.classes * 4 }

    /// The size in bytes with all answers to so many epochs.
    func size(epochs: Int) -> Int {
        let (slots, overflows) = epochs.multipliedReportingOverflow(by: key.steps)
        let (bytes, overflows2) = slots.multipliedReportingOverflow(by: slotSize)
        return overflows || overflows2 ? Int.max : bytes + Self.headerSize
    }

    /// How many of the first epochs have the answers of their last step.
    func storedEpochs(of epochs: Int) -> Int {
        (0..<epochs).filter { hasSlot($0 * key.steps + key.steps - 1) }.count
    }

    // MARK: - Answers

    /// The answers to the images of a step, `batch × classes` numbers; nil where they are not there.
    func answers(epoch: Int, step: Int) -> [Float]? {
        guard let offset = offset(epoch: epoch, step: step) else { return nil }
        let count = key.batch * key.classes
        var slot = [UInt8](repeating: 0, count: slotSize)
        guard read(&slot, at: offset) else { return nil }
        return slot.withUnsafeBytes { bytes in
            guard bytes.loadUnaligned(as: UInt32.self).littleEndian == Self.magic else {
                return nil
            }
            let crc = bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self).littleEndian
            guard crc == CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[8...])),
                bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self).littleEndian
                    == UInt64(epoch * key.steps + step)
            else { return nil }
            return (0..<count).map { place in
                let offset = Self.slotHeader + 4 * place
                return Float(
                    bitPattern: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
                        .littleEndian
                )
            }
        }
    }

    /// Keeps the answers to the images of a step.
    ///
    /// - Returns: Why it was not possible, the first time that it was not; the answers are not lost, only not kept.
    func store(_ answers: [Float], epoch: Int, step: Int) -> String? {
        guard canWrite, answers.count == key.batch * key.classes,
            let offset = offset(epoch: epoch, step: step)
        else { return nil }
        guard offset + slotSize <= limit else {
            canWrite = false
            return "it is full"
        }
        let slot = Self.slot(answers, number: epoch * key.steps + step)
        guard let reason = write(slot, at: offset) else { return nil }
        canWrite = false
        return reason
    }

    private static func slot(_ answers: [Float], number: Int) -> [UInt8] {
        var body: [UInt8] = []
        body.reserveCapacity(answers.count * 4 + 8)
        func add<Value: FixedWidthInteger>(_ value: Value, to bytes: inout [UInt8]) {
            withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
        }
        add(UInt64(number), to: &body)
        for answer in answers { add(answer.bitPattern, to: &body) }
        var slot: [UInt8] = []
        add(magic, to: &slot)
        add(body.withUnsafeBytes { CRC32C.checksum($0) }, to: &slot)
        return slot + body
    }

    /// Writes bytes; returns what the system says where that fails.
    private func write(_ bytes: [UInt8], at offset: Int) -> String? {
        do throws(SystemError) {
            try Descriptor.write(bytes, to: descriptor, at: offset)
            return nil
        } catch {
            return error.reason
        }
    }

    private func offset(epoch: Int, step: Int) -> Int? {
        guard epoch >= 0, (0..<key.steps).contains(step) else { return nil }
        let (slots, overflows) = epoch.multipliedReportingOverflow(by: key.steps)
        let (bytes, overflows2) = (slots + step).multipliedReportingOverflow(by: slotSize)
        return overflows || overflows2 || bytes > Int.max / 2 ? nil : bytes + Self.headerSize
    }

    private func hasSlot(_ number: Int) -> Bool {
        var head = [UInt8](repeating: 0, count: 4)
        guard let offset = offset(epoch: number / key.steps, step: number % key.steps),
            read(&head, at: offset)
        else { return false }
        return head.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self).littleEndian } == Self.magic
    }

    private func read(_ bytes: inout [UInt8], at offset: Int) -> Bool {
        let wanted = bytes.count
        let result = bytes.withUnsafeMutableBytes { buffer in
            Result { () throws(SystemError) in
                try Descriptor.read(into: buffer, from: descriptor, at: offset)
            }
        }
        return (try? result.get()) == wanted
    }

    // MARK: - The header

    /// Checks a file that may exist, and creates nothing.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - key: What its answers must depend on.
    /// - Returns: Whether there is one.
    /// - Throws: ``TeacherCacheError`` where it holds something else.
    @discardableResult
    static func check(_ path: String, _ key: TeacherCacheKey) throws(TeacherCacheError) -> Bool {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            return false
        }
        guard !isFolder.boolValue, let file = FileHandle(forReadingAtPath: path) else {
            throw .notACache(path: path)
        }
        defer { try? file.close() }
        let bytes = ((try? file.read(upToCount: headerSize)) ?? nil) ?? Data()
        let start = Data(title.utf8)
        guard bytes.count == headerSize, bytes.starts(with: start),
            let found = try? JSONDecoder().decode(
                TeacherCacheKey.self,
                from: bytes.dropFirst(start.count)
            )
        else { throw .notACache(path: path) }
        let differences = found.differences(from: key)
        guard differences.isEmpty else { throw .otherKey(path: path, differences: differences) }
        return true
    }

    private static func header(_ key: TeacherCacheKey) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let json = try encoder.encode(key)
        let text = Array(title.utf8) + Array(json)
        guard text.count < headerSize else { throw TeacherCacheError.tooManyOptions }
        return text + [UInt8](repeating: 0x20, count: headerSize - text.count - 1) + [0x0A]
    }
}
