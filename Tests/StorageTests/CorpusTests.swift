import Foundation
import Storage
import TestSupport
import Testing

/// The inputs that fuzzing found worth keeping, and bombs made by hand: a typed error or a value, never
/// a trap, a hang or much memory.
@Suite struct CorpusTests {
    private static let corpus = Checkout.root.appending(path: "Tests/StorageTests/Fixtures/Corpus")

    private static func source(_ name: String) throws -> MemorySource {
        let bytes = try Data(contentsOf: corpus.appending(path: name))
        return MemorySource(Array(bytes), path: "corpus.bin")
    }

    /// Runs a parser over every file of a folder of the corpus.
    ///
    /// - Returns: The number of files, and how many were refused with a sentence.
    static func run(
        _ folder: String,
        _ parse: (MemorySource) throws(StorageError) -> Void
    ) throws -> (files: Int, refused: Int) {
        let names = try FileManager.default.contentsOfDirectory(
            atPath: corpus.appending(path: folder).path
        )
        var refused = 0
        for name in names {
            let source = try Self.source("\(folder)/\(name)")
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

    @Test func archives() throws {
        let (files, refused) = try Self.run("tar") { source throws(StorageError) in
            var reader = TarReader(source)
            while let member = try reader.next() {
                #expect(member.size >= 0 && member.size <= source.count - member.offset)
            }
        }
        #expect(files > 2 && refused < files)
    }

    @Test func lists() throws {
        let (files, refused) = try Self.run("list") { source throws(StorageError) in
            var text = DelimitedText(source.bytes, path: source.path)
            while let row = try text.next() { #expect(!row.isEmpty) }
        }
        #expect(files > 2 && refused < files)
    }

    @Test(arguments: [
        ("import-os", "os.system"), ("import-os-4", "posix.system"), ("instance", "'i' (0x69)"),
        ("extension", "0x82"), ("protocol-9", "protocol 9"), ("object", "'o'"),
        ("stride-beyond", "tensor w"), ("offset-negative", "tensor w"),
        ("offset-beyond", "tensor w"), ("size-negative", "tensor w"),
        ("stride-negative", "tensor w"), ("size-overflow", "tensor w"),
        ("expanded-bomb", "tensor w"), ("storage-overflow", "storage \"0\""),
        ("storage-negative", "not a storage"), ("long-string", "too early"),
        ("pop-nothing", "more values than it created"), ("rebuild-itself", "from itself"),
    ])
    func namesTheFault(_ name: String, _ fault: String) throws {
        let source = try Self.source("pickle/\(name)")
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
        let source = MemorySource(bytes, path: "corpus.bin")
        let error = #expect(throws: StorageError.self) {
            var machine = PickleMachine(ByteCursor(source, 0..<source.count))
            _ = try machine.run()
        }
        #expect(error?.description.contains("more than weights need") == true)
    }

    private static func readAll(
        _ contents: PyTorchContents,
        _ source: MemorySource
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
