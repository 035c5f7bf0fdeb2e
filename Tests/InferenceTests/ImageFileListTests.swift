import Datasets
import Foundation
import ImagePipeline
import Inference
import TestSupport
import Testing

struct ImageFileListTests {
    /// Folders are searched, sorted and filtered by ending; files are taken as they are, in the order given.
    @Test func listsFilesAndFolders() throws {
        try withTemporaryFolder { folder in
            let files = [
                "b.JPG", "a.png", "z/deep/c.webp", "z/notes.txt", ".hidden.png", "z/.cache/d.png",
                "odd.bin",
            ]
            for file in files {
                let url = folder.appending(path: file)
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(),
                    withIntermediateDirectories: true
                )
                try Data().write(to: url)
            }
            // A folder that holds itself is searched once.
            try FileManager.default.createSymbolicLink(
                at: folder.appending(path: "z/loop"),
                withDestinationURL: folder
            )
            let root = folder.path
            let list = try ImageFileList(paths: ["\(root)/odd.bin", root, "nowhere.png"])
            #expect(
                list.sources == [
                    .file("\(root)/odd.bin"), .file("\(root)/a.png"), .file("\(root)/b.JPG"),
                    .file("\(root)/z/deep/c.webp"), .file("nowhere.png"),
                ]
            )
            #expect(list.emptyFolders.isEmpty && list.count == 5)
            #expect(try ImageFileList(paths: ["\(root)/z/.cache"]).count == 1)
            let empty = folder.appending(path: "empty")
            try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: true)
            #expect(try ImageFileList(paths: [empty.path]).emptyFolders == [empty.path])
        }
    }

    @Test func bytesStandForAName() throws {
        let list = try ImageFileList(paths: ["a.png", "-"])
            .replacing("-", by: [1, 2, 3], named: "standard input")
        #expect(list.sources == [.file("a.png"), .bytes([1, 2, 3], name: "standard input")])
        #expect(list.name(at: 0) == "a.png" && list.name(at: 1) == "standard input")
        #expect(throws: ImageError.notAnImage) { try list.image(at: 1) }
        #expect(throws: ImageError.self) { try list.image(at: 0) }
        #expect(list.label(at: 1) == 0 && list.classNames.count == 1)
    }
}
