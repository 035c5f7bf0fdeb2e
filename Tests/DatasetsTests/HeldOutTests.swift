import Datasets
import Foundation
import TestSupport
import Testing

struct HeldOutTests {
    private func write(_ folder: URL, _ counts: [String: Int], in part: String = "") throws {
        for (name, count) in counts {
            for place in 0..<count { try folder.writeImage("\(part)\(name)/\(place).png") }
        }
    }

    private func names(_ data: any ImageDataset) -> [String] { (0..<data.count).map(data.name) }

    @Test(arguments: ["", "train/"]) func everyClassGivesItsShare(_ part: String) throws {
        try withTemporaryFolder { folder in
            try write(folder, ["a": 40, "b": 20, "c": 3, "d": 1], in: part)
            let location = try DatasetLocation(path: folder.path, valFraction: 0.25, seed: 7)
            let (train, validation) = try location.openBoth()
            func counts(_ data: any ImageDataset) -> [Int] {
                (0..<data.count).reduce(into: [0, 0, 0, 0]) { $0[data.label(at: $1)] += 1 }
            }
            #expect(counts(validation) == [10, 5, 1, 0])
            #expect(counts(train) == [30, 15, 2, 1])
            #expect(
                train.classNames == ["a", "b", "c", "d"]
                    && validation.classNames == train.classNames
            )
            #expect(Set(names(train)).isDisjoint(with: names(validation)))
            #expect(names(train) == names(train).sorted())
            // Each part alone is the same, and another seed draws others.
            #expect(names(try location.open(.train)) == names(train))
            #expect(names(try location.open(.validation)) == names(validation))
            let other = try DatasetLocation(path: folder.path, valFraction: 0.25, seed: 8)
            #expect(names(try other.open(.validation)) != names(validation))
        }
    }

    @Test func manySmallClassesKeepTheWholeShare() throws {
        try withTemporaryFolder { folder in
            try write(folder, Dictionary(uniqueKeysWithValues: (0..<20).map { ("c\($0)", 2) }))
            let (train, validation) = try DatasetLocation(path: folder.path, valFraction: 0.1)
                .openBoth()
            #expect(train.count == 36 && validation.count == 4)
        }
    }

    @Test func aValidationPartIsPreferred() throws {
        try withTemporaryFolder { folder in
            try write(folder, ["a": 4, "b": 4], in: "train/")
            try write(folder, ["a": 1, "b": 1], in: "val/")
            let (train, validation) = try DatasetLocation(path: folder.path, valFraction: 0.5)
                .openBoth()
            #expect(train.count == 8 && validation.count == 2)
        }
    }

    @Test func sharesThatAreNone() throws {
        try withTemporaryFolder { folder in
            try write(folder, ["a": 4, "b": 4])
            for fraction in [0, 1, -0.1, 1.5, .nan, .infinity] {
                #expect(throws: DatasetError.self) {
                    try DatasetLocation(path: folder.path, valFraction: fraction)
                }
            }
            let error = #expect(throws: DatasetError.self) {
                try DatasetLocation(path: folder.path, valFraction: 0.01).openBoth()
            }
            #expect("\(error as Any)".contains("leaves no validation images"))
        }
    }

    @Test func classesThatTrainingNeverShowsAreTold() throws {
        try withTemporaryFolder { folder in
            for name in ["1", "2"] { try folder.writeImage("\(name).png") }
            try folder.write(
                Data("file,class,split\n1.png,x,train\n2.png,y,val\n".utf8),
                to: "l.csv"
            )
            let (train, _) = try DatasetLocation(path: folder.path + "/l.csv").openBoth()
            #expect(train.notes.contains { $0.hasSuffix(": y") })
        }
    }
}
