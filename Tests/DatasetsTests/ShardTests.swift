import Datasets
import Foundation
import ImagePipeline
import TestSupport
import Testing

struct ShardTests {
    private static func image(_ value: UInt8) -> [UInt8] {
        [UInt8](TinyPNG.data(height: 2, width: 3, value: value))
    }

    /// A shard of samples: image and class, in WebDataset's manner.
    private static func shard(_ samples: [(key: String, value: UInt8, label: String)]) -> TarWriter
    {
        var tar = TarWriter()
        for sample in samples {
            tar.add("\(sample.key).png", image(sample.value))
            tar.add("\(sample.key).cls", Array(sample.label.utf8))
        }
        return tar
    }

    @Test func samplesOfSeveralShards() throws {
        try withTemporaryFolder { folder in
            try folder.write(
                Data(Self.shard([("a/000", 10, "2"), ("a/001", 20, "0\n")]).finished),
                to: "set-train-0.tar"
            )
            try folder.write(Data(Self.shard([("002", 30, "1")]).finished), to: "set-train-1.tar")
            try folder.write(Data(Self.shard([("003", 40, "1")]).finished), to: "set-val-0.tar")
            try folder.write(Data(Self.shard([("004", 50, "9")]).finished), to: "set-test-0.tar")
            let (train, validation) = try DatasetLocation(path: folder.path).openBoth()
            #expect(train.classNames == ["0", "1", "2"])
            #expect((0..<train.count).map(train.label) == [2, 0, 1])
            for (index, value) in [10, 20, 30].enumerated() {
                #expect(
                    try train.image(at: index).pixels == [UInt8](repeating: UInt8(value), count: 6)
                )
            }
            #expect(train.name(at: 1) == "\(folder.path)/set-train-0.tar: a/001.png")
            #expect(try train.fileBytes(at: 2) == Self.image(30))
            #expect(train.filePath(at: 0) == nil)
            // The part called val is preferred to the one called test.
            #expect(validation.count == 1 && validation.label(at: 0) == 1)
        }
    }

    @Test func foldersNamedAfterParts() throws {
        try withTemporaryFolder { folder in
            try folder.write(
                Data(Self.shard([("0", 1, "cat"), ("1", 2, "dog")]).finished),
                to: "train/x.tar"
            )
            try folder.write(Data(Self.shard([("2", 3, "dog")]).finished), to: "val/y.tar")
            let (train, validation) = try DatasetLocation(path: folder.path).openBoth()
            #expect(train.classNames == ["cat", "dog"] && train.count == 2)
            #expect(validation.label(at: 0) == 1)
        }
    }

    @Test func namesFromAFileBesideTheShards() throws {
        try withTemporaryFolder { folder in
            try folder.write(Data(Self.shard([("0", 1, "1")]).finished), to: "x.tar")
            try folder.write(Data("ant\nbee\n\ncow\n".utf8), to: "classes.txt")
            let data = try DatasetLocation(path: folder.path + "/x.tar").open(.validation)
            #expect(data.classNames == ["ant", "bee", "cow"] && data.label(at: 0) == 1)
            try folder.write(Data("ant\n".utf8), to: "classes.txt")
            let error = #expect(throws: DatasetError.self) {
                try DatasetLocation(path: folder.path + "/x.tar").open(.train)
            }
            #expect("\(error as Any)".contains("label 1"))
        }
    }

    @Test func labelsInJSON() throws {
        try withTemporaryFolder { folder in
            var tar = TarWriter()
            tar.add("0.json", Array(#"{"label": 3, "class_name": "wolf"}"#.utf8))
            tar.add("0.png", Self.image(1))
            tar.add("1.png", Self.image(2))
            tar.add("1.json", Array(#"{"label": "ape"}"#.utf8))
            try folder.write(Data(tar.finished), to: "x.tar")
            let data = try ShardDataset(paths: [folder.path + "/x.tar"])
            #expect(data.classNames == ["ape", "wolf"])
            #expect((0..<2).map(data.label) == [1, 0])
        }
    }

    @Test func foldersInAnArchive() throws {
        try withTemporaryFolder { folder in
            var tar = TarWriter()
            tar.add("./set/README.md", Array("words".utf8))
            for (name, value) in [
                ("train/cat/1.png", 1), ("train/cat/1.more.png", 2), ("train/dog/deep/1.png", 3),
                ("test/dog/1.png", 4), ("extra/1.png", 5),
            ] { tar.add("./set/\(name)", Self.image(UInt8(value))) }
            tar.add("./set/train/dog/.hidden.png", Self.image(9))
            tar.add("./set/train/dog/link.png", [], kind: "2")
            for (name, bytes) in [
                ("x.tar", tar.finished), ("y.tar.gz", gzipped(tar.finished)),
                ("z.tgz", gzipped(tar.finished)),
            ] {
                try folder.write(Data(bytes), to: name)
                let path = "\(folder.path)/\(name)"
                let (train, validation) = try DatasetLocation(path: path).openBoth()
                #expect(train.classNames == ["cat", "dog"])
                #expect((0..<train.count).map(train.label) == [0, 0, 1])
                #expect(try (0..<3).map { try train.image(at: $0).pixels[0] } == [1, 2, 3])
                #expect(validation.count == 1 && validation.label(at: 0) == 1)
                #expect(try validation.image(at: 0).pixels[0] == 4)
                #expect(train.name(at: 2) == "\(path): set/train/dog/deep/1.png")
                #expect(train.notes.contains { $0.contains("extra") })
            }
        }
    }

    @Test func everyTruncationIsTold() throws {
        try withTemporaryFolder { folder in
            let whole = Self.shard([("0", 1, "0"), ("1", 2, "1")]).finished
            let path = folder.path + "/x.tar"
            // Up to the first block of the end mark.
            for length in stride(from: 0, to: whole.count - 512, by: 100) {
                try folder.write(Data(whole[..<length]), to: "x.tar")
                let error = #expect(throws: DatasetError.self) { try ShardDataset(paths: [path]) }
                #expect(length < 512 || "\(error as Any)".contains("cut short"))
            }
            let zipped = gzipped(whole)
            for length in stride(from: 2, to: zipped.count - 1, by: 97) {
                try folder.write(Data(zipped[..<length]), to: "x.tar")
                let error = #expect(throws: DatasetError.self) { try ShardDataset(paths: [path]) }
                #expect("\(error as Any)".contains("x.tar is damaged"))
            }
        }
    }

    @Test func damageIsRefused() throws {
        try withTemporaryFolder { folder in
            let path = folder.path + "/x.tar"
            func expectError(_ bytes: [UInt8], _ words: String) throws {
                try folder.write(Data(bytes), to: "x.tar")
                let error = #expect(throws: DatasetError.self) { try ShardDataset(paths: [path]) }
                #expect("\(error as Any)".contains(words), "\(error as Any)")
            }
            let good = Self.shard([("0", 1, "0")]).finished
            try expectError([UInt8](repeating: 65, count: 2000), "not a tar archive")
            var header = good
            header[1024 + 10] ^= 1  // in the second header's name
            try expectError(header, "no header at byte 1024")
            try expectError([UInt8](repeating: 0, count: 1024), "no images")
            try expectError(
                Self.shard([("0", 1, "0"), ("1", 1, "x")]).finished,
                "some of its labels are numbers"
            )
            try expectError(Self.shard([("0", 1, "-1")]).finished, "label -1")
            try expectError(Self.shard([("0", 1, "99999999999")]).finished, "label 99999999999")
            var tar = Self.shard([("0", 1, "0")])
            tar.add("1.png", Self.image(2))
            try expectError(tar.finished, "1 of its images has no label")
            tar = TarWriter()
            tar.add("1.png", Self.image(2))
            try expectError(tar.finished, "neither a label")
            // Sizes in the binary form, at and beyond what a number holds.
            for size: [UInt8] in [
                [0x80] + Array(repeating: 0xFF, count: 11),
                [0xFF] + Array(repeating: 0xFF, count: 11),
            ] {
                var huge = good
                huge.replaceSubrange(124..<136, with: size)
                huge.replaceSubrange(148..<156, with: Array(repeating: 32, count: 8))
                let sum = String(huge[0..<512].reduce(0) { $0 + Int($1) }, radix: 8)
                huge.replaceSubrange(148..<156, with: Array(("00000000" + sum).utf8.suffix(8)))
                try expectError(huge, "x.tar is damaged")
            }
        }
    }

    @Test func changedBytesNeverTrap() throws {
        try withTemporaryFolder { folder in
            var tar = Self.shard([("a/0", 1, "0"), ("b/1", 2, "1")])
            tar.add("././@LongLink", Array("some/long/name.png\0".utf8), kind: "L")
            tar.add("x", Self.image(3))
            tar.add("PaxHeaders/x", Array("19 path=c/0/3.png\n13 size=1000\n".utf8), kind: "x")
            tar.add("y", Self.image(4))
            tar.add("c/0/3.json", Array(#"{"label": 7}"#.utf8))
            let whole = tar.finished
            var generator = SplitMix64(seed: 5)
            for round in 0..<600 {
                var bytes = whole
                for _ in 0..<(1 + generator.integer(below: 4)) {
                    let place = generator.integer(below: bytes.count)
                    bytes[place] = UInt8(truncatingIfNeeded: generator.next())
                    // Half of the time the sum of the header is put right, so that what follows is reached.
                    let start = place / 512 * 512
                    guard round % 2 == 0, start + 512 <= bytes.count else { continue }
                    bytes.replaceSubrange(
                        (start + 148)..<(start + 156),
                        with: Array(repeating: 32, count: 8)
                    )
                    let sum = String(
                        bytes[start..<(start + 512)].reduce(0) { $0 + Int($1) },
                        radix: 8
                    )
                    let digits = Array(("000000" + sum).utf8.suffix(6)) + [0, 32]
                    bytes.replaceSubrange((start + 148)..<(start + 156), with: digits)
                }
                try folder.write(Data(bytes), to: "x.tar")
                guard let data = try? ShardDataset(paths: [folder.path + "/x.tar"]) else {
                    continue
                }
                for index in 0..<data.count {
                    _ = data.name(at: index)
                    _ = try? data.image(at: index)
                }
            }
        }
    }

    @Test(.needsProgram("tar"), arguments: ["gnu", "pax", "ustar", "v7"])
    func realArchivesWithLongNames(_ format: String) throws {
        try withTemporaryFolder { folder in
            let isShort = format == "v7" || format == "ustar"
            let long = String(repeating: "long-", count: isShort ? 10 : 45)
            let name =
                "train/\(isShort ? "class" : String(repeating: "deep", count: 50))/\(long).png"
            try folder.writeImage("in/" + name, value: 77)
            try folder.writeImage("in/train/ähre/ü.png", value: 78)
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = [
                "tar", "--format", format, "-czf", folder.path + "/x.tar.gz", "-C",
                folder.path + "/in", ".",
            ]
            try process.run()
            process.waitUntilExit()
            try #require(process.terminationStatus == 0)
            let data = try ShardDataset(paths: [folder.path + "/x.tar.gz"], split: .train)
            #expect(data.count == 2)
            let values = try (0..<2).map { try data.image(at: $0).pixels[0] }
            #expect(Set(values) == [77, 78])
            let place = try #require(values.firstIndex(of: 77))
            #expect(data.name(at: place) == "\(folder.path)/x.tar.gz: \(name)")
            #expect(data.classNames.contains("ähre"))
        }
    }

    @Test func manyShardsStayWithinTheLimitOfOpenFiles() throws {
        try withTemporaryFolder { folder in
            let count = 300
            for number in 0..<count {
                let shard = Self.shard([("k", UInt8(number % 251), "\(number % 3)")])
                try folder.write(Data(shard.finished), to: String(format: "%04d.tar", number))
            }
            let data = try DatasetLocation(path: folder.path).open(.validation)
            #expect(data.count == count)
            for index in [0, 255, 256, 299] {
                #expect(try data.image(at: index).pixels[0] == UInt8(index % 251))
                #expect(data.label(at: index) == index % 3)
            }
        }
    }

    @Test(.needsShared("data/cifar10-jpeg.tar.gz")) func realArchive() throws {
        let path = try #require(Checkout.sharedFile("data/cifar10-jpeg.tar.gz")).path
        let (train, validation) = try DatasetLocation(path: path).openBoth()
        #expect(train.count == 50_000 && validation.count == 10_000)
        #expect(
            train.classNames == [
                "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship",
                "truck",
            ]
        )
        var counts = [Int](repeating: 0, count: 10)
        for index in 0..<train.count { counts[train.label(at: index)] += 1 }
        #expect(counts == [Int](repeating: 5000, count: 10))
        let image = try train.image(at: 49_999)
        #expect(image.height == 32 && image.width == 32 && image.channels == 3)
    }
}
