import Datasets
import Foundation
import ImagePipeline
import TestSupport
import Testing

/// Links in archives, archives without an end mark, of other kinds, and names with dots.
@Suite(.timeLimit(.minutes(5)))
struct ArchiveLinkTests {
    private static func image(_ value: UInt8) -> [UInt8] {
        [UInt8](TinyPNG.data(height: 2, width: 2, value: value))
    }

    private func open(
        _ folder: URL,
        _ bytes: [UInt8],
        as name: String = "x.tar"
    ) throws -> ShardDataset {
        try folder.write(Data(bytes), to: name)
        return try ShardDataset(paths: ["\(folder.path)/\(name)"])
    }

    @Test func linksAreFollowedInsideTheArchive() throws {
        try withTemporaryFolder { folder in
            var tar = TarWriter()
            tar.addLink("cat/early.png", to: "../dog/1.png", kind: "2")
            tar.add("dog/1.png", Self.image(1))
            tar.addLink("cat/hard.png", to: "./dog/1.png", kind: "1")
            tar.addLink("cat/again.png", to: "hard.png", kind: "2")
            tar.addLink("cow", to: "dog", kind: "2")
            tar.addLink("cat/through.png", to: "../cow/1.png", kind: "2")
            tar.addLink("cat/out.png", to: "../../etc/x.png", kind: "2")
            tar.addLink("cat/absolute.png", to: "/etc/x.png", kind: "2")
            tar.addLink("cat/gone.png", to: "nothing.png", kind: "2")
            tar.addLink("cat/round.png", to: "round2.png", kind: "2")
            tar.addLink("cat/round2.png", to: "round.png", kind: "2")
            tar.addLink("cat/readme.txt", to: "nothing.txt", kind: "2")
            tar.addLink("cat/all", to: "..", kind: "2")
            let data = try open(folder, tar.finished)
            let found = (0..<data.count).map { "\(data.classNames[data.label(at: $0)])" }
            #expect(found == ["cat", "dog", "cat", "cat", "cow", "cat"])
            for index in 0..<data.count {
                #expect(try data.image(at: index).pixels == [1, 1, 1, 1])
            }
            #expect(data.name(at: 0).hasSuffix("x.tar: cat/early.png"))
            let note = try #require(data.notes.first { $0.contains("link") })
            #expect(note.hasPrefix("skipped 6 links"), "\(note)")
            #expect(note.contains("cat/out.png leads out of the archive"))
            #expect(note.contains("cat/gone.png leads to nothing"))
            #expect(note.contains("cat/round.png forms a cycle"))
        }
    }

    @Test func longNamesOfLinks() throws {
        try withTemporaryFolder { folder in
            let long = String(repeating: "long/", count: 60) + "1.png"
            var tar = TarWriter()
            func pax(_ key: String, _ value: String) -> [UInt8] {
                let rest = " \(key)=\(value)\n"
                let length = rest.utf8.count + 3
                return Array("\(length)\(rest)".utf8)
            }
            tar.add("pax", pax("path", long), kind: "x")
            tar.add("short", Self.image(3))
            tar.add("gnu", Array((long + "\0").utf8), kind: "K")
            tar.addLink("cat/gnu.png", to: "cut", kind: "1")
            tar.add("pax", pax("linkpath", "../" + long), kind: "x")
            tar.addLink("cat/pax.png", to: "cut", kind: "2")
            let data = try open(folder, tar.finished)
            #expect(data.count == 3 && data.notes.isEmpty, "\(data.notes)")
            for index in 0..<3 { #expect(try data.image(at: index).pixels[0] == 3) }
        }
    }

    @Test func aHeaderMaySayTheSizeOfALink() throws {
        try withTemporaryFolder { folder in
            var tar = TarWriter()
            tar.add("cat/1.png", Self.image(1))
            tar.addLink("cat/2.png", to: "cat/1.png", kind: "1", size: 5000)
            tar.add("cat/3.png", Self.image(3))
            let data = try open(folder, tar.finished)
            #expect(data.count == 3)
        }
    }

    @Test func endMarksAreNotNeeded() throws {
        try withTemporaryFolder { folder in
            var tar = TarWriter()
            tar.add("cat/1.png", Self.image(1))
            tar.add("dog/2.png", Self.image(2))
            let data = try open(folder, tar.bytes)
            #expect(data.count == 2 && data.notes.count == 1)
            #expect(data.notes.first?.contains("no end mark") == true)
            #expect(try open(folder, tar.finished, as: "y.tar").notes.isEmpty)
            #expect(throws: DatasetError.self) { try open(folder, [], as: "empty.tar") }
            #expect(throws: DatasetError.self) {
                try open(folder, Array(tar.bytes.dropLast(1500)), as: "cut.tar")
            }
        }
    }

    @Test func labelsBesideNamesWithDots() throws {
        try withTemporaryFolder { folder in
            var tar = TarWriter()
            for place in 0..<3 {
                tar.add("img.\(place).png", Self.image(UInt8(place)))
                tar.add("img.\(place).cls", Array("\(2 - place)".utf8))
            }
            let data = try open(folder, tar.finished)
            #expect((0..<data.count).map(data.label) == [2, 1, 0])
            #expect(data.notes.contains { $0.contains("3 images have a label with the name") })
            // WebDataset's own rule, where the label is beside the name up to the first dot.
            var own = TarWriter()
            own.add("a.left.png", Self.image(1))
            own.add("a.right.png", Self.image(2))
            own.add("a.cls", [0x31])
            own.add("b.0.cls.txt", [0x30])
            own.add("b.0.png", Self.image(3))
            let second = try open(folder, own.finished, as: "own.tar")
            #expect((0..<second.count).map(second.label) == [1, 0])
            #expect(try second.image(at: 0).pixels[0] == 1)
        }
    }

    @Test(arguments: [
        ("x.tar.xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "xz"),
        ("x.tar.zst", [0x28, 0xB5, 0x2F, 0xFD], "zstd"),
        ("x.tar.bz2", [0x42, 0x5A, 0x68], "bzip2"),
        ("x.tar", [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "xz"),
        ("x.zip", [0x50, 0x4B, 3, 4], "ZIP"),
    ])
    func otherArchivesAreNamed(_ name: String, _ bytes: [UInt8], _ kind: String) throws {
        try withTemporaryFolder { folder in
            try folder.write(Data(bytes + [0, 0, 0, 0]), to: name)
            for path in ["\(folder.path)/\(name)", folder.path] {
                let error = #expect(throws: DatasetError.self) {
                    try DatasetLocation(path: path).open(.validation)
                }
                #expect("\(error as Any)".contains(kind) && "\(error as Any)".contains("unpack"))
            }
        }
    }

    @Test func anArchiveThatGrowsWithoutEndIsRefused() throws {
        try withTemporaryFolder { folder in
            // Zeros, 258 with every 13 bits: a literal, then copies of what is one byte before.
            var (bits, count): (UInt64, UInt64) = (0, 0)
            var file: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
            func put(_ value: UInt64, _ size: UInt64) {
                bits |= value << count
                count += size
                while count >= 8 {
                    file.append(UInt8(bits & 255))
                    bits >>= 8
                    count -= 8
                }
            }
            put(0b011, 3)
            put(0b0000_1100, 8)
            for _ in 0..<400_000 {
                put(0b10100011, 8)
                put(0, 5)
            }
            put(0, 7)
            put(0, 8)
            let error = #expect(throws: DatasetError.self) {
                try open(folder, file, as: "bomb.tar.gz")
            }
            #expect("\(error as Any)".contains("more than 64 times its size"))
        }
    }

    @Test func filesThatTheirNamesHide() throws {
        try withTemporaryFolder { folder in
            let image = TinyPNG.data(height: 2, width: 2, value: 1)
            try folder.write(image, to: "cat/a.png")
            for name in ["a.jfif", "b.jpe", "c", "d.png.crdownload", "f.png "] {
                try folder.write(image, to: "cat/\(name)")
            }
            for name in ["x.tif", "y.heic"] { try folder.write(Data([1]), to: "cat/\(name)") }
            try folder.write(Data("text".utf8), to: "cat/readme.txt")
            try folder.write(image, to: "stray.png")
            let notes = try ImageFolder(path: folder.path).notes
            #expect(
                notes.contains { $0.hasPrefix("skipped 5 files with JPEG, PNG or WebP content") },
                "\(notes)"
            )
            #expect(notes.contains { $0.hasPrefix("skipped 2 files in unsupported formats") })
            #expect(notes.contains { $0.hasPrefix("skipped 1 image next to") })
            #expect(notes.count == 3)
        }
    }

    @Test func adviceThatHelps() throws {
        try withTemporaryFolder { folder in
            for name in ["cat/a.png", "dog/a.png"] { try folder.writeImage(name) }
            let location = try DatasetLocation(path: folder.path, valFraction: 0.5)
            let error = #expect(throws: DatasetError.self) { try location.openBoth() }
            #expect("\(error as Any)".contains("no class has more than one image"))
            try folder.writeImage("cat/b.png")
            let small = try DatasetLocation(path: folder.path, valFraction: 0.01)
            let other = #expect(throws: DatasetError.self) { try small.openBoth() }
            #expect("\(other as Any)".contains("use a larger one"))
            let large = try DatasetLocation(path: folder.path, valFraction: 0.6)
            #expect(try large.openBoth().validation.count == 1)
        }
    }
}
