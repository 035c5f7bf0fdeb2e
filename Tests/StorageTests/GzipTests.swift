import Foundation
import Storage
import TestSupport
import Testing

@Suite struct GzipTests {
    /// `printf 'hello hello hello hello\n' | gzip -n9`.
    private static let hello: [UInt8] = [
        0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xCB, 0x48, 0xCD, 0xC9, 0xC9,
        0x57, 0xC8, 0x40, 0x27, 0xB9, 0x00, 0x00, 0x88, 0x59, 0x0B, 0x18, 0x00, 0x00, 0x00,
    ]
    private static let text = Array("hello hello hello hello\n".utf8)

    private static func inflate(
        _ bytes: [UInt8],
        limit: Int = 1000
    ) throws(StorageError) -> (data: [UInt8], hasMore: Bool) {
        try Gzip.inflate(MemorySource(bytes, path: "a.gz"), limit: limit)
    }

    @Test func membersAreJoinedAndPaddingIsNot() throws {
        let one = try Self.inflate(Self.hello)
        #expect(one.data == Self.text && !one.hasMore)
        #expect(try Self.inflate(Self.hello + Self.hello).data == Self.text + Self.text)
        for padding: [UInt8] in [[0], [0, 0, 0], [0x1F], [0x1F, 0x00, 0x1F, 0x8B]] {
            #expect(try Self.inflate(Self.hello + padding).data == Self.text)
        }
    }

    @Test func theLimitHolds() throws {
        for limit in [0, 1, 23] {
            let (data, hasMore) = try Self.inflate(Self.hello, limit: limit)
            #expect(data == Array(Self.text.prefix(limit)) && hasMore)
        }
        #expect(try !Self.inflate(Self.hello, limit: 24).hasMore)
    }

    @Test func everyCutIsAnError() {
        for count in 0..<Self.hello.count {
            let error = #expect(throws: StorageError.self) {
                try Self.inflate(Array(Self.hello[..<count]))
            }
            guard case .malformed("a.gz", _) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
    }

    /// A damaged file gives what comes before the damage, and says what is wrong.
    @Test func filesAreInflatedUpToTheDamage() throws {
        let scratch = try Scratch()
        let sound = try OpenFile(path: scratch.write(Self.hello, to: "a.gz"))
        let (file, none) = try Gzip.inflateToFile(sound)
        #expect(none == nil)
        #expect(try file.bytes(0..<file.count) == Self.text)
        #expect(try file.read(at: 18, count: 100) == Array(Self.text[18...]))
        #expect(try file.read(at: 24, count: 1).isEmpty)

        let cut = try OpenFile(path: scratch.write(Array(Self.hello.dropLast(8)), to: "b.gz"))
        let (part, problem) = try Gzip.inflateToFile(cut)
        #expect(try part.bytes(0..<part.count) == Self.text)
        #expect(problem?.description.contains("b.gz") == true)
        #expect(problem?.description.contains("ends too early") == true)
    }

    /// Many members that hold nothing cost time in proportion to the file, not to its square.
    @Test(.timeLimit(.minutes(20))) func manyEmptyMembers() throws {
        let empty: [UInt8] = [
            0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x03, 0x00, 0x00, 0x00,
            0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        ]
        let bytes = Array(repeatElement(empty, count: 50_000).joined())
        #expect(try Self.inflate(bytes).data.isEmpty)
    }

    @Test func aFileThatIsCutWhileItIsReadIsAnError() throws {
        let scratch = try Scratch()
        let path = try scratch.write([UInt8](repeating: 7, count: 100), to: "a.tar")
        let file = try OpenFile(path: path)
        #expect(truncate(path, 50) == 0)
        #expect(try file.read(at: 0, count: 50).count == 50)
        let error = #expect(throws: StorageError.self) { try file.read(at: 0, count: 100) }
        #expect(error?.description.contains("has become shorter") == true)
    }
}
