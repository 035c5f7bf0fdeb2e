import Datasets
import Foundation
import TestSupport
import Testing

/// Folders with links in circles, links to nothing, pipes, and names that are not UTF-8.
@Suite(.timeLimit(.minutes(20)))
struct OddFolderTests {
    private func link(_ folder: URL, _ path: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: folder.appending(path: path).path,
            withDestinationPath: target
        )
    }

    @Test func linksThatLeadBack() throws {
        try withTemporaryFolder { folder in
            for name in ["set/cat/a.png", "set/dog/b.png"] { try folder.writeImage(name) }
            try link(folder, "set/cat/up", to: "..")
            try link(folder, "set/cat/self", to: ".")
            try link(folder, "set/everything", to: folder.path)
            try link(folder, "set/dog/root", to: "/")
            let data = try ImageFolder(path: folder.path + "/set")
            #expect(data.classNames == ["cat", "dog"])
            #expect((0..<data.count).map(data.label) == [0, 1])
            #expect(
                data.notes.count == 1 && data.notes[0].hasPrefix("skipped 4 links that lead back")
            )
            let location = try DatasetLocation(path: folder.path + "/set")
            #expect(try location.open(.validation, limit: .first(1)).notes == data.notes)
        }
    }

    @Test func linksInACircleOrToNothing() throws {
        try withTemporaryFolder { folder in
            try folder.writeImage("cat/a.png")
            try link(folder, "cat/x.png", to: "y.png")
            try link(folder, "cat/y.png", to: "x.png")
            try link(folder, "cat/gone.jpg", to: "/nowhere/at/all.jpg")
            try link(folder, "lost", to: "lost")
            let data = try ImageFolder(path: folder.path)
            #expect(data.count == 1)
            #expect(
                data.notes.count == 1
                    && data.notes[0].hasPrefix("skipped 4 links that lead nowhere")
            )
        }
    }

    @Test func pipesAreNoImages() throws {
        try withTemporaryFolder { folder in
            try folder.writeImage("cat/a.png")
            #expect(mkfifo(folder.path + "/cat/pipe.png", 0o600) == 0)
            #expect(try ImageFolder(path: folder.path).count == 1)
        }
    }

    @Test(arguments: ["cat/\u{1}.png", "\u{1}/a.png", "cat/\u{1}/a.png"])
    func namesThatAreNotUTF8(_ pattern: String) throws {
        try withTemporaryFolder { folder in
            try folder.writeImage("cat/a.png")
            var bytes = [UInt8]((folder.path + "/" + pattern).utf8)
            bytes.replace([1], with: [0xE4, 0x62])
            // Every folder on the way, then the file.
            func path(_ bytes: some Sequence<UInt8>) -> [CChar] {
                bytes.map { CChar(bitPattern: $0) } + [0]
            }
            for (place, byte) in bytes.enumerated() where byte == UInt8(ascii: "/") && place > 0 {
                mkdir(path(bytes[..<place]), 0o700)
            }
            let file = open(path(bytes), O_CREAT | O_WRONLY, 0o600)
            try #require(file >= 0)
            close(file)
            let error = #expect(throws: DatasetError.self) {
                try DatasetLocation(path: folder.path).open(.validation)
            }
            #expect("\(error as Any)".contains(#"\xE4b"#))
            #expect("\(error as Any)".contains("not UTF-8"))
            // Files that would not be used do no harm.
            _ = open(
                path(Array((folder.path + "/cat/").utf8) + [0xE4] + Array(".txt".utf8)),
                O_CREAT,
                0o600
            )
        }
    }
}
