import Datasets
import Foundation
import ImagePipeline
import TestSupport
import Testing

/// Names of parts in every usual spelling, in folders, lists and archives.
@Suite(.timeLimit(.minutes(5)))
struct SplitNameTests {
    private func write(_ folder: URL, _ parts: String...) throws {
        for (place, part) in parts.enumerated() {
            for (value, name) in ["cat", "dog"].enumerated() {
                try folder.writeImage("\(part)/\(name)/a.png", value: UInt8(10 * place + value))
            }
        }
    }

    /// The number that the first image of each part is filled with.
    private func values(_ path: String) throws -> [UInt8] {
        let (train, validation) = try DatasetLocation(path: path).openBoth()
        #expect(train.classNames == ["cat", "dog"] && validation.classNames == ["cat", "dog"])
        #expect(train.count == 2 && validation.count == 2)
        return [try train.image(at: 0).pixels[0], try validation.image(at: 0).pixels[0]]
    }

    @Test(arguments: [
        ("Train", "Test"), ("train", "Val"), ("training", "testing"), ("train", "dev"),
        ("TRAIN", "VALID"), ("training_set", "test_set"), ("train-images", "eval"),
        ("trainset", "Validation Data"), ("trn", "tst"), ("train ", "Evaluation"),
        ("Training", "Development"),
    ])
    func spellingsOfFolders(_ train: String, _ validation: String) throws {
        try withTemporaryFolder { folder in
            try write(folder, train, validation)
            #expect(try values(folder.path) == [0, 10])
        }
    }

    @Test(arguments: [("Train", "Dev"), ("training", "testing"), ("TRAIN", "Valid")])
    func spellingsOfListsAndArchives(_ train: String, _ validation: String) throws {
        try withTemporaryFolder { folder in
            try write(folder, "all/0", "all/1")
            for (place, part) in [train, validation].enumerated() {
                let rows = ["cat", "dog"].map { "all/\(place)/\($0)/a.png,\($0)\n" }.joined()
                try folder.write(Data(("file,class\n" + rows).utf8), to: "lists/\(part).csv")
            }
            try FileManager.default.createSymbolicLink(
                atPath: folder.path + "/lists/all",
                withDestinationPath: "../all"
            )
            #expect(try values(folder.path + "/lists") == [0, 10])
            var column = "file,class,split\n"
            for (place, part) in [train, validation].enumerated() {
                for name in ["cat", "dog"] {
                    column += "all/\(place)/\(name)/a.png,\(name),\(part)\n"
                }
            }
            try folder.write(Data(column.utf8), to: "one.csv")
            #expect(try values(folder.path + "/one.csv") == [0, 10])
            for (place, part) in [train, validation].enumerated() {
                var (inside, flat) = (TarWriter(), TarWriter())
                for (value, name) in ["cat", "dog"].enumerated() {
                    let image = TinyPNG.data(height: 2, width: 2, value: UInt8(10 * place + value))
                    inside.add("\(part)/\(name)/a.png", [UInt8](image))
                    flat.add("\(name)/a.png", [UInt8](image))
                }
                try folder.write(Data(flat.finished), to: "shards/x-\(part)-0.tar")
                try folder.write(Data(inside.bytes), to: "\(place).tar")
            }
            #expect(try values(folder.path + "/shards") == [0, 10])
            // The same folders in one archive; the second has the end mark of neither.
            let joined = try ["0.tar", "1.tar"].map {
                try Data(contentsOf: folder.appending(path: $0))
            }
            try folder.write(joined[0] + joined[1], to: "joined/x.tar")
            #expect(try values(folder.path + "/joined/x.tar") == [0, 10])
        }
    }

    @Test(arguments: [
        ["train", "Train", "val"], ["train", "val", "Valid"], ["train", "test", "Testing"],
    ])
    func twoNamesOfOnePartAreRefused(_ parts: [String]) throws {
        try withTemporaryFolder { folder in
            var tar = TarWriter()
            for part in parts {
                try write(folder, "set/\(part)")
                tar.add("\(part)/cat/a.png", [UInt8](TinyPNG.data(height: 2, width: 2, value: 1)))
            }
            try folder.write(Data(tar.finished), to: "x.tar")
            for path in ["set", "x.tar"] {
                let error = #expect(throws: DatasetError.self) {
                    try DatasetLocation(path: "\(folder.path)/\(path)").openBoth()
                }
                guard case .ambiguousSplit(_, _, let names) = error else {
                    Issue.record("\(error as Any)")
                    continue
                }
                #expect(names.count == 2 && Set(names).isSubset(of: parts))
            }
        }
    }

    @Test func testDataIsNotUsedBesideValidationData() throws {
        try withTemporaryFolder { folder in
            try write(folder, "Train", "Test", "Val", "Testing")
            #expect(try values(folder.path) == [0, 20])
            try folder.writeImage("extra/cat/a.png")
            try folder.writeImage("stray.png")
            let notes = try DatasetLocation(path: folder.path).openBoth().train.notes
            #expect(notes.contains { $0.hasPrefix("Test, Testing is not used") }, "\(notes)")
            #expect(notes.contains { $0.contains("1 folder with images") && $0.contains("extra") })
            #expect(notes.contains { $0.contains("1 image next to") })
        }
    }

    @Test(arguments: [["dev", "ops"], ["eval", "play"], ["Testing", "other"], ["train", "bus"]])
    func classesThatAreCalledLikeParts(_ names: [String]) throws {
        try withTemporaryFolder { folder in
            for name in names { try folder.writeImage("\(name)/a.png") }
            let data = try DatasetLocation(path: folder.path).open(.validation)
            #expect(data.classNames == names.sorted() && data.count == 2)
        }
    }
}
