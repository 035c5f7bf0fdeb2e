import Datasets
import Foundation
import TestSupport
import Testing

/// Images to learn from without labels, and what may be measured by.
struct UnlabelledTests {
    private func names(_ data: any ImageDataset) -> [String] { (0..<data.count).map(data.name) }

    private func open(
        _ folder: URL,
        valFraction: Double? = nil,
        limit: Int? = nil
    ) throws -> (train: any ImageDataset, validation: (any ImageDataset)?) {
        try DatasetLocation(path: folder.path, valFraction: valFraction, seed: 7).openUnlabelled(
            trainLimit: limit.map { .stratified($0, seed: 7) }
        )
    }

    @Test func imagesThatLieAnyhow() throws {
        try withTemporaryFolder { folder in
            let places = ["a.png", "b.png", "x/c.png", "x/y/d.png", "z/e.png"]
            for place in places { try folder.writeImage(place) }
            let (train, validation) = try open(folder)
            #expect(names(train).sorted() == places.map { "\(folder.path)/\($0)" })
            #expect(train.classNames == ["unlabelled"] && validation == nil)
            // One class tells nothing to measure by, whatever share is asked for.
            #expect(try open(folder, valFraction: 0.5).validation == nil)
            #expect(try open(folder, limit: 2).train.count == 2)
        }
    }

    @Test func labelsThatAreThereStayWithTheImages() throws {
        try withTemporaryFolder { folder in
            for index in 0..<4 {
                for name in ["ant", "bee"] { try folder.writeImage("\(name)/\(index).png") }
            }
            let all = try open(folder)
            #expect(all.train.count == 8 && all.train.classNames == ["ant", "bee"])
            #expect(all.validation == nil)
            let split = try open(folder, valFraction: 0.25)
            let validation = try #require(split.validation)
            #expect(split.train.count == 6 && validation.count == 2)
            #expect(Set(names(split.train)).isDisjoint(with: names(validation)))
        }
    }

    @Test func partsAreTakenAsTheyAre() throws {
        try withTemporaryFolder { folder in
            for name in ["train/ant/0.png", "train/bee/0.png", "val/ant/1.png", "val/bee/1.png"] {
                try folder.writeImage(name)
            }
            let (train, validation) = try open(folder)
            #expect(train.count == 2 && validation?.count == 2)
            #expect(validation?.classNames == train.classNames)
        }
        // A training part without classes; one to measure by then means nothing.
        try withTemporaryFolder { folder in
            for name in ["train/0.png", "train/1.png", "val/ant/1.png", "val/bee/1.png"] {
                try folder.writeImage(name)
            }
            let (train, validation) = try open(folder)
            #expect(train.count == 2 && train.classNames == ["unlabelled"] && validation == nil)
        }
        // Other classes there than here.
        try withTemporaryFolder { folder in
            for name in ["train/ant/0.png", "train/bee/0.png", "val/ant/1.png", "val/cow/1.png"] {
                try folder.writeImage(name)
            }
            #expect(try open(folder).validation == nil)
        }
    }

    @Test func whatHasNoImages() throws {
        try withTemporaryFolder { folder in
            #expect(throws: DatasetError.self) { try open(folder) }
            #expect(throws: DatasetError.self) { try open(folder.appending(path: "nowhere")) }
            try folder.writeImage("val/ant/0.png")
            #expect(throws: DatasetError.self) { try open(folder) }
        }
    }
}
