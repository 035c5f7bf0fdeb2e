import Datasets
import Foundation
import ImagePipeline
import TestSupport
import Testing

struct DatasetLocationTests {
    @Test(arguments: ["val", "validation", "valid", "test"])
    func findsTrainAndValidation(_ name: String) throws {
        try withTemporaryFolder { folder in
            try folder.writeImage("train/a/1.png")
            try folder.writeImage("train/b/1.png")
            try folder.writeImage("\(name)/a/1.png")
            try folder.writeImage("\(name)/a/2.png")
            try folder.writeImage("\(name)/b/1.png")
            let (train, validation) = try DatasetLocation(path: folder.path + "/").openBoth()
            #expect(train.count == 2 && validation.count == 3)
            #expect(validation.name(at: 0) == "\(folder.path)/\(name)/a/1.png")
        }
    }

    @Test func prefersValToTest() throws {
        try withTemporaryFolder { folder in
            for path in ["train/a/1.png", "val/a/1.png", "test/a/1.png", "test/a/2.png"] {
                try folder.writeImage(path)
            }
            #expect(try DatasetLocation(path: folder.path).open(.validation).count == 1)
        }
    }

    @Test func plainFolderIsForMeasuringOnly() throws {
        try withTemporaryFolder { folder in
            try folder.writeImage("cat/1.png")
            let location = try DatasetLocation(path: folder.path)
            #expect(try location.open(.validation).classNames == ["cat"])
            #expect(throws: DatasetError.missingSplit(path: folder.path, split: .train)) {
                try location.open(.train)
            }
        }
    }

    @Test func missingParts() throws {
        try withTemporaryFolder { folder in
            #expect(throws: DatasetError.missing(path: folder.path + "/no")) {
                try DatasetLocation(path: folder.path + "/no")
            }
            for split in DatasetSplit.allCases {
                #expect(throws: DatasetError.noImages(path: folder.path)) {
                    try DatasetLocation(path: folder.path).open(split)
                }
            }
            try folder.writeImage("file.png")
            #expect(throws: DatasetError.notAFolder(path: folder.path + "/file.png")) {
                try DatasetLocation(path: folder.path + "/file.png")
            }
            for split in DatasetSplit.allCases {
                #expect(throws: DatasetError.noClasses(path: folder.path)) {
                    try DatasetLocation(path: folder.path).open(split)
                }
            }
            try folder.writeImage("train/cat/1.png")
            #expect(throws: DatasetError.missingSplit(path: folder.path, split: .validation)) {
                try DatasetLocation(path: folder.path).open(.validation)
            }
        }
    }

    @Test func differentClassesAreListed() throws {
        try withTemporaryFolder { folder in
            for path in [
                "train/a/1.png", "train/b/1.png", "val/b/1.png", "val/c/1.png", "val/d/1.png",
            ] {
                try folder.writeImage(path)
            }
            let error = #expect(throws: DatasetError.self) {
                try DatasetLocation(path: folder.path).openBoth()
            }
            #expect(error == .classesDiffer(onlyInTraining: ["a"], onlyInValidation: ["c", "d"]))
            #expect("\(error as Any)".contains("only in validation c, d"))
        }
    }

    @Test func limits() throws {
        try withTemporaryFolder { folder in
            for i in 0..<30 { try folder.writeImage("val/many/\(100 + i).png", value: UInt8(i)) }
            for i in 0..<10 { try folder.writeImage("val/few/\(100 + i).png") }
            let location = try DatasetLocation(path: folder.path)
            let drawn = try location.open(.validation, limit: .stratified(8, seed: 1))
            #expect((0..<drawn.count).map(drawn.label) == [0, 0, 1, 1, 1, 1, 1, 1])
            let again = try location.open(.validation, limit: .stratified(8, seed: 1))
            #expect((0..<8).map(drawn.name) == (0..<8).map(again.name))
            let other = try location.open(.validation, limit: .stratified(8, seed: 2))
            #expect((0..<8).map(drawn.name) != (0..<8).map(other.name))
            #expect(try location.open(.validation, limit: .first(12)).label(at: 11) == 1)
            #expect(try location.open(.validation, limit: .first(1000)).count == 40)
            #expect(try location.open(.validation, limit: .stratified(1000, seed: 0)).count == 40)
            for limit in [DatasetLimit.first(0), .stratified(-1, seed: 0)] {
                #expect(throws: DatasetError.self) { try location.open(.validation, limit: limit) }
            }
            let whole = try location.open(.validation)
            #expect(throws: DatasetError.self) { try Subset(of: whole, indices: [0, 40]) }
        }
    }
}
