import Foundation
import Storage
import TestSupport
import Testing

@Suite struct AtomicFileTests {
    /// An error of a library above, as the closures of callers throw it.
    private enum CallerError: StorageFailure, Equatable {
        case storage(StorageError)
        case refused

        init(_ error: StorageError) { self = .storage(error) }

        func renaming(_ old: String, to new: String) -> CallerError {
            guard case .storage(let error) = self else { return self }
            return .storage(error.renaming(old, to: new))
        }
    }

    @Test func writesAndReplaces() throws {
        let scratch = try Scratch()
        let path = scratch.file("a.json")
        try AtomicFile.write("one".utf8, to: path)
        try AtomicFile.write(Data("two".utf8), to: path)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "two")
        #expect(try scratch.names() == ["a.json"])
    }

    @Test func failureKeepsTheOldFile() throws {
        let scratch = try Scratch()
        let path = scratch.file("a.json")
        try AtomicFile.write("old".utf8, to: path)
        #expect(throws: CallerError.refused) {
            try AtomicFile.write(to: path) { sink throws(CallerError) in
                do throws(StorageError) {
                    try sink.write([1, 2, 3])
                } catch { throw CallerError(error) }
                throw CallerError.refused
            }
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
        #expect(try scratch.names() == ["a.json"])
    }

    @Test func unwritablePlacesAreTypedErrors() throws {
        let scratch = try Scratch()
        for path in [scratch.file("none/a"), "/proc/a", scratch.path] {
            let error = #expect(throws: StorageError.self) {
                try AtomicFile.write([1], to: path)
            }
            guard case .unwritable(let named, _) = error else {
                Issue.record("another error for \(path): \(String(describing: error))")
                continue
            }
            #expect(named == path)
        }
        #expect(try scratch.names().isEmpty)
    }

    @Test func foldersAppearWholeOrNotAtAll() throws {
        let scratch = try Scratch()
        let path = scratch.file("step-1")
        func write(_ text: String, failing: Bool = false) throws {
            try AtomicFolder.write(to: path + "/") { folder in
                try AtomicFile.write(text.utf8, to: "\(folder)/config.json")
                if failing { throw CallerError.refused }
            }
        }
        #expect(throws: CallerError.self) { try write("zero", failing: true) }
        #expect(try scratch.names().isEmpty)
        try write("one")
        try write("two")
        #expect(throws: CallerError.self) { try write("three", failing: true) }
        #expect(try String(contentsOfFile: path + "/config.json", encoding: .utf8) == "two")
        #expect(try scratch.names() == ["step-1"])
    }

    @Test func folderOverAFileIsAnError() throws {
        let scratch = try Scratch()
        let path = try scratch.write([1], to: "taken")
        #expect(throws: StorageError.self) { try AtomicFolder.write(to: path) { _ in } }
        #expect(try scratch.names() == ["taken"])
    }

    @Test func fullDiskKeepsTheOldFile() throws {
        let scratch = try Scratch()
        let disk = scratch.file("disk")
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
        guard run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk) else {
            print("SKIPPED fullDiskKeepsTheOldFile: no small disk can be mounted here (not root?)")
            return
        }
        defer { _ = run("umount", disk) }
        let path = "\(disk)/weights"
        func write(_ count: Int) throws {
            try AtomicFile.write([UInt8](repeating: 5, count: count), to: path)
        }
        try write(1000)
        let error = #expect(throws: StorageError.self) { try write(1_000_000) }
        #expect(error.map { "\($0)".contains("No space left on device") } == true)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == 1000)
        #expect(throws: StorageError.self) {
            try AtomicFolder.write(to: "\(disk)/model") { folder in
                try AtomicFile.write([1], to: "\(folder)/config.json")
                try AtomicFile.write([UInt8](repeating: 1, count: 1_000_000), to: "\(folder)/big")
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: disk) == ["weights"])
    }

    private func run(_ arguments: String...) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
