import Datasets
import Foundation
import ImagePipeline
import TestSupport
import Testing

struct IDXTests {
    /// Three images of 2 × 3 samples.
    private static let images: [UInt8] =
        [0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 3] + (0..<18).map { UInt8($0 * 10) }
    private static let labels: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 3, 4, 0, 2]

    /// `images` through gzip.
    private static let zipped = Data(
        base64Encoded: """
            H4sIAAAAAAACA2Ng4GBmYGAAYSYwzSUip2Fk4xYQlZJX0dQzbcEqAI4m9mgiAAAA
            """
    )

    private func open(_ folder: URL, _ images: [UInt8], _ labels: [UInt8]) throws -> IDXDataset {
        try folder.write(Data(images), to: "i")
        try folder.write(Data(labels), to: "l")
        return try IDXDataset(images: folder.path + "/i", labels: folder.path + "/l")
    }

    @Test func readsImagesAndLabels() throws {
        try withTemporaryFolder { folder in
            let data = try open(folder, Self.images, Self.labels)
            #expect(data.count == 3 && data.height == 2 && data.width == 3)
            #expect((0..<3).map(data.label) == [4, 0, 2])
            #expect(try data.image(at: 1).pixels == (6..<12).map { UInt8($0 * 10) })
            #expect(data.classNames == (0..<10).map(String.init))
            #expect(data.name(at: 2) == "index 2 of \(folder.path)/i")
        }
    }

    @Test(arguments: ["train-images-idx3-ubyte", "train-images.idx3-ubyte"])
    func findsFilesByTheirNames(_ name: String) throws {
        try withTemporaryFolder { folder in
            let fashion = folder.appending(path: "Fashion")
            try fashion.write(Data(Self.images), to: name)
            try fashion.write(Data(Self.labels), to: "train-labels-idx1-ubyte")
            let data = try DatasetLocation(path: fashion.path).open(.train)
            #expect(data.count == 3)
            #expect(data.classNames[4] == "Coat")
            #expect(throws: DatasetError.missingSplit(path: fashion.path, split: .validation)) {
                try DatasetLocation(path: fashion.path).open(.validation)
            }
        }
    }

    @Test func refusesEveryTruncation() throws {
        try withTemporaryFolder { folder in
            for length in 0..<Self.images.count {
                #expect(throws: DatasetError.self) {
                    try open(folder, Array(Self.images[..<length]), Self.labels)
                }
            }
            for length in 0..<Self.labels.count {
                #expect(throws: DatasetError.self) {
                    try open(folder, Self.images, Array(Self.labels[..<length]))
                }
            }
            #expect(throws: DatasetError.self) { try open(folder, Self.images + [0], Self.labels) }
        }
    }

    @Test func refusesWrongHeaders() throws {
        try withTemporaryFolder { folder in
            // Wrong marks, type, rank; no images; sizes whose product overflows; labels of another count.
            for (at, bytes) in [
                (0, [1]), (2, [9]), (3, [1]), (4, [0, 0, 0, 0]), (8, [0, 0, 0, 0]),
                (4, [UInt8](repeating: 255, count: 12)), (4, [0, 0, 0, 2]),
            ] as [(Int, [UInt8])] {
                var images = Self.images
                images.replaceSubrange(at..<(at + bytes.count), with: bytes)
                #expect(throws: DatasetError.self) { try open(folder, images, Self.labels) }
            }
            let twoLabels: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 2, 0, 1]
            #expect(throws: DatasetError.self) { try open(folder, Self.images, twoLabels) }
        }
    }

    @Test func readsGzipAndRefusesDamage() throws {
        try withTemporaryFolder { folder in
            let zipped = [UInt8](try #require(Self.zipped))
            #expect(try open(folder, zipped, Self.labels).image(at: 2).pixels.last == 170)
            for length in 2..<zipped.count {
                #expect(throws: DatasetError.self) {
                    try open(folder, Array(zipped[..<length]), Self.labels)
                }
            }
            for at in 10..<(zipped.count - 8) {
                var damaged = zipped
                damaged[at] ^= 0x10
                #expect(throws: DatasetError.self) { try open(folder, damaged, Self.labels) }
            }
        }
    }

    @Test func moreClassesThanTen() throws {
        try withTemporaryFolder { folder in
            var labels = Self.labels
            labels[9] = 46
            let data = try open(folder, Self.images, labels)
            #expect(data.classNames.count == 47)
            #expect(throws: DatasetError.self) {
                try IDXDataset(
                    images: folder.path + "/i",
                    labels: folder.path + "/l",
                    classNames: ["a", "b"]
                )
            }
        }
    }
}
