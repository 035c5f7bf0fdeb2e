import Datasets
import Foundation
import ImagePipeline
import TestSupport
import Testing

struct ImageFolderTests {
    @Test func classesInCodePointOrder() throws {
        try withTemporaryFolder { folder in
            // Python's sorted: capitals before small letters, the accent last; "a" < "a b" < "aa".
            for name in ["b", "Z", "aa", "a b", "a", "é", "10", "9"] {
                try folder.writeImage("\(name)/1.png")
            }
            let data = try ImageFolder(path: folder.path)
            #expect(data.classNames == ["10", "9", "Z", "a", "a b", "aa", "b", "é"])
            #expect((0..<data.count).map(data.label) == Array(0..<8))
        }
    }

    @Test func takesImagesOnly() throws {
        try withTemporaryFolder { folder in
            for path in ["cat/b.PNG", "cat/a.png", "cat/deep/er/c.WebP", "dog/x.jpeg", "dog/y.Jpg"]
            {
                try folder.writeImage(path)
            }
            for path in [
                "cat/.hidden.png", "cat/notes.txt", "cat/png", ".git/z.png", "cat/.deep/z.png",
                "top.png",
            ] {
                try folder.writeImage(path)
            }
            let data = try ImageFolder(path: folder.path)
            #expect(data.classNames == ["cat", "dog"])
            let names = (0..<data.count).map {
                String(data.name(at: $0).dropFirst(folder.path.count + 1))
            }
            #expect(
                names == [
                    "cat/a.png", "cat/b.PNG", "cat/deep/er/c.WebP", "dog/x.jpeg", "dog/y.Jpg",
                ]
            )
            // The format is told by content: a PNG called .jpeg is read.
            #expect(try data.image(at: 3).width == 4)
        }
    }

    @Test func formatsThatAreNotReadAreTold() throws {
        try withTemporaryFolder { folder in
            for path in [
                "cat/a.png", "cat/b.bmp", "cat/c.BMP", "cat/deep/d.tif", "cat/.e.gif",
            ] {
                try folder.writeImage(path)
            }
            try folder.write(Data("a text".utf8), to: "cat/notes.txt")
            let data = try ImageFolder(path: folder.path)
            #expect(data.count == 1)
            #expect(
                data.notes == [
                    "skipped 3 files in unsupported formats (2 .bmp, 1 .tif): convert them to JPEG, PNG or WebP"
                ]
            )
        }
    }

    @Test func followsLinksOnce() throws {
        try withTemporaryFolder { folder in
            try folder.writeImage("set/cat/a.png")
            try folder.writeImage("elsewhere/b.png")
            try folder.writeImage("elsewhere/c.png")
            let manager = FileManager.default
            for (link, target) in [
                ("set/cat/more", "elsewhere"), ("set/cat/loop", "set/cat"),
                ("set/dog", "elsewhere"),
            ] {
                try manager.createSymbolicLink(
                    at: folder.appending(path: link),
                    withDestinationURL: folder.appending(path: target)
                )
            }
            let data = try ImageFolder(path: folder.appending(path: "set").path)
            #expect((0..<data.count).map(data.label) == [0, 0, 0, 1, 1])
        }
    }

    @Test func emptyClassesAreAllNamed() throws {
        try withTemporaryFolder { folder in
            try folder.writeImage("cat/a.png")
            try folder.write(Data(), to: "dog/readme.txt")
            try folder.write(Data(), to: "emu/readme.txt")
            let error = #expect(throws: DatasetError.self) { try ImageFolder(path: folder.path) }
            #expect(error == .emptyClasses(path: folder.path, names: ["dog", "emu"]))
            #expect("\(error as Any)".contains("dog, emu"))
        }
    }

    @Test func unreadableFilesFailWhenRead() throws {
        try withTemporaryFolder { folder in
            try folder.write(Data("no image".utf8), to: "cat/a.png")
            try folder.write(Data(), to: "cat/b.png")
            try folder.write(
                TinyPNG.data(height: 3, width: 4, value: 9).dropLast(30),
                to: "cat/c.png"
            )
            let data = try ImageFolder(path: folder.path)
            #expect(throws: ImageError.notAnImage) { try data.image(at: 0) }
            #expect(throws: ImageError.empty) { try data.image(at: 1) }
            #expect(throws: ImageError.self) { try data.image(at: 2) }
        }
    }
}
