import Datasets
import Foundation
import ImagePipeline
import TestSupport
import Testing

struct CIFARTests {
    /// An image of which each sample can be told: red, green and blue planes.
    private static func planes(_ seed: Int) -> [UInt8] {
        (0..<3072).map { (place: Int) -> UInt8 in
            UInt8(truncatingIfNeeded: place * 7 + place / 1024 * 50 + seed * 31)
        }
    }

    private static func expectImage(_ image: Image, _ seed: Int) {
        let planes = planes(seed)
        #expect(image.height == 32 && image.width == 32 && image.channels == 3)
        let expected = (0..<3072).map { (sample: Int) -> UInt8 in
            planes[sample % 3 * 1024 + sample / 3]
        }
        #expect(image.pixels == expected)
    }

    private static let names = (0..<10).map { "class \($0)" }

    private func writeBinary10(to folder: URL) throws {
        for batch in 1...5 {
            let records = (0..<2).flatMap { [UInt8(batch + $0)] + Self.planes(10 * batch + $0) }
            try folder.write(Data(records), to: "data_batch_\(batch).bin")
        }
        try folder.write(Data([9] + Self.planes(99)), to: "test_batch.bin")
        try folder.write(
            Data((Self.names.joined(separator: "\n") + "\n\n").utf8),
            to: "batches.meta.txt"
        )
    }

    @Test(arguments: ["", "/cifar-10-batches-bin"]) func binary10(_ inner: String) throws {
        try withTemporaryFolder { folder in
            try writeBinary10(to: folder.appending(path: "set\(inner)"))
            let (train, validation) = try DatasetLocation(path: folder.path + "/set").openBoth()
            #expect(train.count == 10 && validation.count == 1)
            #expect(train.classNames == Self.names)
            #expect((0..<10).map(train.label) == [1, 2, 2, 3, 3, 4, 4, 5, 5, 6])
            Self.expectImage(try train.image(at: 7), 41)
            Self.expectImage(try validation.image(at: 0), 99)
            #expect(train.name(at: 7) == "index 1 of \(folder.path)/set\(inner)/data_batch_4.bin")
            // Nine is the test image's class, and no batch has it.
            #expect(train.notes.count == 1)
        }
    }

    @Test func insideTheArchiveThatItComesIn() throws {
        try withTemporaryFolder { folder in
            try writeBinary10(to: folder.appending(path: "in"))
            var tar = TarWriter()
            tar.add("cifar-10-batches-bin/", [], kind: "5")
            for name in ["batches.meta.txt", "data_batch_1.bin", "test_batch.bin"] {
                let bytes = try Data(contentsOf: folder.appending(path: "in/\(name)"))
                tar.add("cifar-10-batches-bin/\(name)", [UInt8](bytes))
            }
            try folder.write(Data(gzipped(tar.finished)), to: "cifar-10-binary.tar.gz")
            let path = folder.path + "/cifar-10-binary.tar.gz"
            let (train, validation) = try DatasetLocation(path: path).openBoth()
            #expect(
                train.count == 2 && validation.label(at: 0) == 9 && train.classNames == Self.names
            )
            Self.expectImage(try train.image(at: 1), 11)
            #expect(
                train.name(at: 1) == "index 1 of \(path): cifar-10-batches-bin/data_batch_1.bin"
            )
            #expect(train.notes.contains { $0.contains("1 of the 5 training batches") })
            try folder.write(Data(gzipped(Array(tar.bytes.dropLast(2000)))), to: "cut.tar.gz")
            let error = #expect(throws: DatasetError.self) {
                try DatasetLocation(path: folder.path + "/cut.tar.gz").open(.train)
            }
            #expect("\(error as Any)".contains("cut short"))
        }
    }

    @Test func binary100HasTwoKindsOfLabels() throws {
        try withTemporaryFolder { folder in
            try folder.write(
                Data([3, 70] + Self.planes(1) + [19, 5] + Self.planes(2)),
                to: "train.bin"
            )
            let fine = (0..<100).map { "fine \($0)" }.joined(separator: "\n")
            try folder.write(Data(fine.utf8), to: "fine_label_names.txt")
            let data = try DatasetLocation(path: folder.path).open(.train)
            #expect((0..<2).map(data.label) == [70, 5] && data.classNames[70] == "fine 70")
            Self.expectImage(try data.image(at: 1), 2)
            let coarse = try CIFARDataset(path: folder.path, split: .train, labels: .coarse)
            #expect((0..<2).map(coarse.label) == [3, 19] && coarse.classNames.count == 20)
            #expect(throws: DatasetError.missingSplit(path: folder.path, split: .validation)) {
                try CIFARDataset(path: folder.path, split: .validation)
            }
        }
    }

    @Test func damageIsRefused() throws {
        try withTemporaryFolder { folder in
            func open(_ bytes: [UInt8]) throws -> CIFARDataset {
                try folder.write(Data(bytes), to: "test_batch.bin")
                return try CIFARDataset(path: folder.path, split: .validation)
            }
            let good = [4] + Self.planes(1)
            #expect(try open(good).classNames == (0..<10).map(String.init))
            for length in [0, 1, 3072] {
                #expect(throws: DatasetError.self) { try open(Array(good[..<length])) }
            }
            #expect(throws: DatasetError.self) { try open([10] + good[1...]) }
            try folder.write(Data("a\nb\n".utf8), to: "batches.meta.txt")
            #expect(throws: DatasetError.self) { try open(good) }
        }
    }

    // MARK: - The Python form

    /// The opcodes that Python 2 wrote the official files with: two images.
    private static func pickle(shape: [UInt8] = [2, 0, 12], columnMajor: Bool = false) -> [UInt8] {
        func name(_ text: String) -> [UInt8] {
            [UInt8(ascii: "U"), UInt8(text.utf8.count)] + text.utf8
        }
        func global(_ text: String) -> [UInt8] { Array("c\(text)\n".utf8) }
        let rows = [planes(1), planes(2)]
        let data = columnMajor ? (0..<6144).map { rows[$0 % 2][$0 / 2] } : rows[0] + rows[1]
        var bytes: [UInt8] = [0x80, 2] + Array("}q".utf8) + [1] + Array("(".utf8) + name("data")
        bytes += global("numpy.core.multiarray\n_reconstruct") + global("numpy\nndarray")
        bytes += Array("K\u{0}".utf8) + [0x85] + name("b") + [0x87] + Array("Rq".utf8) + [7]
        bytes += Array("(K\u{1}K".utf8) + [shape[0]] + Array("M".utf8) + [shape[1], shape[2], 0x86]
        bytes += global("numpy\ndtype") + name("u1") + Array("K\u{0}K\u{1}".utf8) + [0x87]
        bytes += Array("R(K\u{3}".utf8) + name("|") + Array("NNNJ".utf8) + [255, 255, 255, 255]
        bytes += Array("J".utf8) + [255, 255, 255, 255] + Array("K\u{0}tb".utf8)
        bytes +=
            [columnMajor ? 0x88 : 0x89] + Array("T".utf8) + [0, 24, 0, 0] + data + Array("tb".utf8)
        bytes += name("labels") + Array("]q".utf8) + [9] + Array("(K\u{4}K\u{7}e".utf8)
        bytes +=
            name("filenames") + Array("](".utf8) + name("a.png") + name("b.png") + Array("eu.".utf8)
        return bytes
    }

    private func open(_ folder: URL, _ bytes: [UInt8]) throws -> CIFARDataset {
        try folder.write(Data(bytes), to: "test_batch")
        return try CIFARDataset(path: folder.path, split: .validation)
    }

    @Test(arguments: [false, true]) func pythonForm(_ columnMajor: Bool) throws {
        try withTemporaryFolder { folder in
            let data = try open(folder, Self.pickle(columnMajor: columnMajor))
            #expect((0..<data.count).map(data.label) == [4, 7])
            Self.expectImage(try data.image(at: 0), 1)
            Self.expectImage(try data.image(at: 1), 2)
        }
    }

    @Test func everyTruncationOfAPickleIsRefused() throws {
        try withTemporaryFolder { folder in
            let whole = Self.pickle()
            for length in Array(0..<200) + Array((whole.count - 100)..<whole.count) {
                #expect(throws: DatasetError.self) { try open(folder, Array(whole[..<length])) }
            }
        }
    }

    @Test func damageOfAPickleNeverTraps() throws {
        try withTemporaryFolder { folder in
            let whole = Self.pickle()
            var generator = SplitMix64(seed: 1)
            let header = Array(0..<180) + Array((whole.count - 70)..<whole.count)
            for _ in 0..<1000 {
                var bytes = whole
                for _ in 0..<(1 + generator.integer(below: 3)) {
                    let place = header[generator.integer(below: header.count)]
                    bytes[place] = UInt8(truncatingIfNeeded: generator.next())
                }
                _ = try? open(folder, bytes)
            }
        }
    }

    @Test func workIsBounded() throws {
        try withTemporaryFolder { folder in
            let text = [UInt8](repeating: 65, count: 1 << 20)
            let encode =
                Array("c_codecs\nencode\nh\u{1}U\u{6}latin1".utf8) + [0x86] + Array("R0".utf8)
            let size: [UInt8] = [0, 0, 16, 0]
            let again = Array("X".utf8) + size + text + Array("q\u{1}0".utf8)
            let steps = [[UInt8]](repeating: Array("N0".utf8), count: 2_100_000).joined()
            for bytes in [
                again + [[UInt8]](repeating: encode, count: 10_000).joined(), Array(steps),
            ] {
                let error = #expect(throws: DatasetError.self) {
                    try open(folder, [0x80, 2] + bytes + Array("N.".utf8))
                }
                #expect("\(error as Any)".contains("more than data sets need"))
            }
        }
    }

    @Test func picklesThatWantToRunSomething() throws {
        try withTemporaryFolder { folder in
            for text in ["cos\nsystem\nU\u{2}ls\u{85}R.", "c__builtin__\neval\n(U\u{1}1tR."] {
                let error = #expect(throws: DatasetError.self) {
                    try open(folder, [0x80, 2] + text.unicodeScalars.map { UInt8($0.value) })
                }
                #expect("\(error as Any)".contains("which data sets do not need"))
            }
            #expect(throws: DatasetError.self) { try open(folder, Self.pickle(shape: [3, 0, 12])) }
        }
    }

    @Test(.needsPeers("numpy"), arguments: [2, 3, 4, 5]) func pythonsOwnFiles(_ version: Int) throws
    {
        try withTemporaryFolder { folder in
            let result = try Peers.run("cifar_files.py", [folder.path, "\(version)"])
            try #require(result.status == 0, "\(result.text)")
            for (name, classes) in [("c10", 10), ("c10f", 10), ("c100", 100)] {
                let (train, validation) = try DatasetLocation(path: "\(folder.path)/\(name)")
                    .openBoth()
                #expect(train.classNames == (0..<classes).map { "class \($0)" })
                #expect(train.count == (classes == 10 ? 20 : 4) && validation.count == 4)
                #expect((0..<4).map(validation.label) == [1, 2, 3, 4])
                for index in 0..<4 { Self.expectImage(try validation.image(at: index), index) }
            }
        }
    }
}
