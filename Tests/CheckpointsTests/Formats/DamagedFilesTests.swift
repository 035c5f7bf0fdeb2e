import Checkpoints
import Foundation
import TestSupport
import Testing
import Torch

/// Whatever happens to a file, the answer is a tensor or one sentence with the file's name.
@ModelActor @Suite struct DamagedFilesTests {
    /// Opens a file and reads all of it.
    static func outcome(_ path: String) throws -> CheckpointError? {
        do throws(CheckpointError) {
            _ = try WeightsArchive.open(path).readAll()
            return nil
        } catch {
            let text = error.description
            #expect(text.contains((path as NSString).lastPathComponent), "\(text)")
            #expect(!text.contains("\n"), "\(text)")
            return error
        }
    }

    @Test(arguments: ["flat.pth", "flat_old.pth", "full.pth", "views_old.pth", "state.safetensors"])
    func refusesEveryTruncation(_ name: String) throws {
        let scratch = try Scratch()
        let whole = try Fixtures.bytes("PyTorch/\(name)")
        for count in stride(from: 0, to: whole.count, by: 7) {
            let path = try scratch.write(Array(whole[..<count]), to: "cut.bin")
            #expect(try Self.outcome(path) != nil, "cut to \(count) bytes")
        }
    }

    @Test(arguments: ["flat.pth", "flat_old.pth", "dino.pth", "views.pth", "state.safetensors"])
    func survivesEveryFlippedBit(_ name: String) throws {
        let scratch = try Scratch()
        let whole = try Fixtures.bytes("PyTorch/\(name)")
        var generator = SystemRandomNumberGenerator()
        var refused = 0
        for index in stride(from: 0, to: whole.count, by: 3) {
            var bytes = whole
            bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            if try Self.outcome(scratch.write(bytes, to: "flipped.bin")) != nil { refused += 1 }
        }
        #expect(refused > 20)
    }

    @Test(arguments: [
        ("", "empty"), ("version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
        ("<!DOCTYPE html><html></html>", "web page"), ("\u{1F}\u{8B}rest of it", "gzip"),
        ("GGUF and so on", "GGUF"), ("nothing at all", "not a safetensors"),
        ("PK\u{3}\u{4} and no more", "cut short"),
        ("\u{0}", "1 bytes"),
    ])
    func namesForeignFiles(_ content: String, _ fault: String) throws {
        let scratch = try Scratch()
        let path = try scratch.write(Array(content.utf8), to: "weights.bin")
        let error = try #require(try Self.outcome(path))
        #expect(error.description.contains(fault), "\(error)")
    }

    @Test func tarFilesOfTheFirstKindAreNamed() throws {
        let scratch = try Scratch()
        var bytes = [UInt8](repeating: 0, count: 1024)
        bytes.replaceSubrange(257..<262, with: "ustar".utf8)
        let error = try Self.outcome(scratch.write(bytes, to: "old.pth"))
        #expect(error?.description.contains("0.1.10") == true)
    }

    @Test func numbersThatAreNoneAreReadAsTheyAre() throws {
        let scratch = try Scratch()
        let path = scratch.file("nan.safetensors")
        try Safetensors.write(
            [(name: "w", tensor: try Tensor.full(.nan, [3]))],
            to: path
        )
        let values = try #require(try WeightsArchive.open(path).readAll()["w"]).floats()
        #expect(values.count == 3 && values.allSatisfy(\.isNaN))
    }
}
