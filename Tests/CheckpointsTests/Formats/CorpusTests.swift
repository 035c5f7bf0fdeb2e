import Foundation
import Storage
import TestSupport
import Testing

@testable import Checkpoints

/// The inputs that fuzzing found worth keeping, and bombs made by hand: a typed error or a value, never
/// a trap, a hang or much memory.
@Suite struct CorpusTests {
    struct Memory: ByteSource {
        let path = "corpus.bin"
        let bytes: [UInt8]
        var count: Int { bytes.count }

        func copy(
            from start: Int,
            into destination: UnsafeMutableRawBufferPointer
        ) throws(StorageError) {
            bytes.withUnsafeBytes {
                destination.copyBytes(from: $0[start..<start + destination.count])
            }
        }
    }

    /// Runs a parser over every file of a folder of the corpus.
    ///
    /// - Returns: The number of files, and how many were refused with a sentence.
    static func run(
        _ folder: String,
        _ parse: (Memory) throws(StorageError) -> Void
    ) throws -> (files: Int, refused: Int) {
        let names = try Fixtures.names(in: "Corpus/\(folder)")
        var refused = 0
        for name in names {
            let source = Memory(bytes: try Fixtures.bytes("Corpus/\(folder)/\(name)"))
            do throws(StorageError) {
                try parse(source)
            } catch {
                refused += 1
                #expect(error.description.contains("corpus.bin"), "\(name): \(error)")
            }
        }
        return (names.count, refused)
    }

    @Test func safetensors() throws {
        let (files, refused) = try Self.run("safetensors") { source throws(StorageError) in
            _ = try SafetensorsHeader.read(source)
        }
        #expect(files > 20 && refused > 10)
    }

    @Test func zip() throws {
        let (files, refused) = try Self.run("zip") { source throws(StorageError) in
            try Self.readAll(try PyTorchContents(source, stateDict: nil), source)
        }
        #expect(files > 20 && refused > 10)
    }

    @Test func pickles() throws {
        let (files, refused) = try Self.run("pickle") { source throws(StorageError) in
            var machine = PickleMachine(ByteCursor(source, 0..<source.count))
            let root = try machine.run()
            let whole = 0..<source.count
            let container = PyTorchContainer(root: root, heap: machine.heap) { _ in whole }
            let contents = try PyTorchContents(container, source, stateDict: nil)
            try Self.readAll(contents, source)
        }
        #expect(files > 40 && refused > 30)
    }

    @Test func configurations() throws {
        let (files, _) = try Self.run("config") { source throws(StorageError) in
            guard let value = try? JSONValue.parse(source.bytes),
                let object = value.objectValue
            else { return }
            let fields = JSONFields(object: object, file: source.path)
            for parse: () throws -> Void in [
                { _ = try HuggingFaceConfiguration.decode(fields) },
                { _ = try TimmConfiguration.decode(fields) },
                { _ = try HuggingFaceProcessor.decode(fields, channels: 3) },
                { _ = try TimmProcessor.decode(fields, channels: 3) },
                { _ = try ShardIndex(object, file: source.path) },
            ] { try? parse() }
        }
        #expect(files > 20)
    }

    @Test(arguments: [
        ("import-os", "os.system"), ("import-os-4", "posix.system"), ("instance", "'i' (0x69)"),
        ("extension", "0x82"), ("protocol-9", "protocol 9"), ("object", "'o'"),
        ("stride-beyond", "tensor w"), ("offset-negative", "tensor w"),
        ("offset-beyond", "tensor w"), ("size-negative", "tensor w"),
        ("stride-negative", "tensor w"), ("size-overflow", "tensor w"),
        ("expanded-bomb", "tensor w"), ("storage-overflow", "storage \"0\""),
        ("storage-negative", "no storage"), ("long-string", "too early"),
        ("pop-nothing", "more values than it made"), ("rebuild-itself", "by itself"),
    ])
    func namesTheFault(_ name: String, _ fault: String) throws {
        let source = Memory(bytes: try Fixtures.bytes("Corpus/pickle/\(name)"))
        let error = #expect(throws: StorageError.self) {
            var machine = PickleMachine(ByteCursor(source, 0..<source.count))
            let root = try machine.run()
            let container = PyTorchContainer(root: root, heap: machine.heap) { _ in
                0..<source.count
            }
            _ = try PyTorchContents(container, source, stateDict: nil)
        }
        #expect(error?.description.contains(fault) == true, "\(String(describing: error))")
    }

    /// Small files that ask for much: refused after a bounded amount of work.
    @Test(arguments: [UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "N"), UInt8(ascii: "(")])
    func bombsAreRefused(_ opcode: UInt8) throws {
        let bytes: [UInt8] = [0x80, 2] + [UInt8](repeating: opcode, count: 2_100_000)
        let source = Memory(bytes: bytes)
        let error = #expect(throws: StorageError.self) {
            var machine = PickleMachine(ByteCursor(source, 0..<source.count))
            _ = try machine.run()
        }
        #expect(error?.description.contains("more than any weights need") == true)
    }

    private static func readAll(
        _ contents: PyTorchContents,
        _ source: Memory
    ) throws(StorageError) {
        for entry in contents.table.entries {
            var bytes = [UInt8](repeating: 0, count: min(entry.layout.byteCount, 1 << 20))
            var failure: StorageError?
            bytes.withUnsafeMutableBytes { buffer in
                do throws(StorageError) {
                    try entry.layout.copy(from: source, into: buffer)
                } catch { failure = error }
            }
            if let failure { throw failure }
        }
    }
}
