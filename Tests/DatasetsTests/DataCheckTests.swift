import Datasets
import Foundation
import ImagePipeline
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20)))
struct DataCheckTests {
    /// Kinds, and the files of each finding below a folder.
    private func found(_ report: DataReport, in folder: URL) -> [FindingKind: [[String]]] {
        Dictionary(grouping: report.findings) { $0.kind }.mapValues { findings in
            findings.map { finding in
                finding.images.map { report.name(of: $0).replacing(folder.path + "/", with: "") }
            }
        }
    }

    private func check(_ folder: URL, workers: Int = 2) async throws -> DataReport {
        try await DataCheck(path: folder.path, workers: workers).run()
    }

    private static let cmyk = Data(
        base64Encoded: """
            /9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAbEhQXFBEbFxYXHhwbIChCKyglJShROj0wQmBVZWRfVV1baniZgWpxkHNbXYW1hpCeo6utq2eAvMm6\
            pseZqKuk/8AAFAgACAAIBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIBAwMCBAMFBQQEAAABfQEC\
            AwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3\
            eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBN\
            AFkASwAAPwDoKt1tV0df/9k=
            """
    )

    @Test func findsWhatIsWrongWithSingleImages() async throws {
        try await withTemporaryFolder { folder in
            func write(_ name: String, _ data: Data) throws {
                try folder.write(data, to: "cat/\(name)")
            }
            let good = MadeUpImage.png(1)
            try write("good.png", good)
            try write("empty.jpg", Data())
            try write("text.png", Data("no image".utf8))
            try write("gif.png", Data("GIF89a0000000000".utf8))
            try write("short.png", good.prefix(good.count / 2))
            var damaged = MadeUpImage.png(2)
            damaged[damaged.count / 2] ^= 0xFF
            try write("damaged.png", damaged)
            let bomb = TinyPNG.data(height: 1, width: 1, samples: [0], claimedSide: 60_000)
            #expect(bomb.count < 100)
            try write("bomb.png", bomb)
            try write("really.jpeg", MadeUpImage.png(3))
            try write("cmyk.jpg", try #require(Self.cmyk))
            try write("turned.png", MadeUpImage.png(4, orientation: 6))
            try write("dot.png", TinyPNG.data(height: 4, width: 4, samples: Array(0..<16)))
            try write(
                "strip.png",
                TinyPNG.data(height: 8, width: 100, samples: (0..<800).map { UInt8($0 % 251) })
            )
            try write("grey.png", TinyPNG.data(height: 20, width: 20, value: 128))
            let report = try await check(folder)
            let found = found(report, in: folder)
            let expected: [FindingKind: [[String]]] = [
                .unreadable: [["cat/empty.jpg"], ["cat/gif.png"], ["cat/text.png"]],
                .truncated: [["cat/short.png"]], .damaged: [["cat/damaged.png"]],
                .oversized: [["cat/bomb.png"]], .misnamed: [["cat/really.jpeg"]],
                .cmyk: [["cat/cmyk.jpg"]], .rotated: [["cat/turned.png"]],
                .oddSize: [["cat/dot.png"], ["cat/strip.png"]],
                .blank: [["cat/cmyk.jpg"], ["cat/grey.png"]],
                // The only class there is.
                .lopsidedClass: [[]],
            ]
            for kind in FindingKind.allCases {
                #expect(found[kind] ?? [] == expected[kind] ?? [], "\(kind)")
            }
            #expect(report.findings(of: .oversized)[0].detail.contains("60000 × 60000"))
            #expect(report.findings(of: .rotated)[0].detail.contains("rotate it right"))
            #expect(report.hasErrors && report.count == 13)
            #expect(
                report.formats.map(\.name) == ["PNG", "JPEG"]
                    && report.formats.map(\.count) == [6, 1]
            )
        }
    }

    @Test func findsTheSameImageTwice() async throws {
        try await withTemporaryFolder { folder in
            for (name, seed) in [
                ("train/cat/a.png", 1), ("train/cat/b.png", 1), ("train/dog/c.png", 2),
                ("train/dog/d.png", 3), ("train/cat/e.png", 3), ("val/dog/f.png", 2),
                ("val/cat/g.png", 4),
                ("val/dog/h.png", 5),
            ] { try folder.write(MadeUpImage.png(seed), to: name) }
            // Other sizes, brightness and contrast of images 4, 6 and 7.
            try folder.write(MadeUpImage.png(4, side: 90, brighter: 12), to: "train/cat/h.png")
            try folder.write(MadeUpImage.png(6), to: "train/dog/i.png")
            try folder.write(MadeUpImage.png(6, side: 120, contrast: 0.8), to: "train/dog/j.png")
            try folder.write(MadeUpImage.png(7), to: "val/dog/k.png")
            try folder.write(MadeUpImage.png(7, side: 100), to: "val/cat/l.png")
            let report = try await check(folder)
            let found = found(report, in: folder)
            #expect(found[.duplicate] == [["train/cat/a.png", "train/cat/b.png"]])
            #expect(found[.conflict] == [["train/cat/e.png", "train/dog/d.png"]])
            #expect(found[.leak] == [["train/dog/c.png", "val/dog/f.png"]])
            #expect(found[.nearLeak] == [["train/cat/h.png", "val/cat/g.png"]])
            #expect(found[.nearDuplicate] == [["train/dog/i.png", "train/dog/j.png"]])
            #expect(found[.nearConflict] == [["val/cat/l.png", "val/dog/k.png"]])
            try cleanListIsADataSet(report, folder)
        }
    }

    private func cleanListIsADataSet(_ report: DataReport, _ folder: URL) throws {
        let clean = CleanList(report)
        #expect(clean.dropped.count == 5 && clean.kept == report.count - 5)
        for path in [folder.path + "/clean.csv", folder.path + "/else/where.csv"] {
            try FileManager.default.createDirectory(
                atPath: folder.path + "/else",
                withIntermediateDirectories: true
            )
            try clean.write(to: path)
            let (train, validation) = try DatasetLocation(path: path).openBoth()
            func names(_ data: any ImageDataset) -> [String] {
                (0..<data.count).map { URL(filePath: data.name(at: $0)).lastPathComponent }
            }
            #expect(names(train) == ["a.png", "i.png", "j.png"])
            #expect(names(validation) == ["g.png", "l.png", "f.png", "h.png", "k.png"])
            #expect(train.classNames == ["cat", "dog"] && train.label(at: 1) == 1)
            #expect(train.notes.isEmpty && validation.notes.isEmpty)
            #expect(try validation.image(at: 0).height == 72)
        }
        #expect(throws: DatasetError.self) {
            try clean.write(to: folder.path + "/no/such/folder.csv")
        }
    }

    @Test func doesNotDependOnWorkers() async throws {
        try await withTemporaryFolder { folder in
            for index in 0..<150 {
                try folder.write(
                    MadeUpImage.png(index % 40, side: 64 + index % 3),
                    to: "c\(index % 4)/\(index).png"
                )
            }
            let reference = try await check(folder, workers: 1)
            #expect(!reference.findings.isEmpty)
            for workers in [2, 7] {
                #expect(try await check(folder, workers: workers).findings == reference.findings)
            }
        }
    }

    @Test func differentImagesAreNoDuplicates() async throws {
        try await withTemporaryFolder { folder in
            for index in 0..<300 {
                try folder.write(
                    MadeUpImage.png(index, side: 64),
                    to: "\(index % 2)/\(index).png"
                )
            }
            #expect(try await check(folder).findings.isEmpty)
        }
    }

    @Test func classesWithoutAndWithFewImages() async throws {
        try await withTemporaryFolder { folder in
            for (name, count) in [("a", 25), ("b", 22), ("c", 2), ("d", 0)] {
                try folder.write(Data(), to: "train/\(name)/notes.txt")
                for index in 0..<count {
                    let seed = index + 100 * Int(name.utf8.first ?? 0)
                    try folder.write(
                        MadeUpImage.png(seed, side: 64),
                        to: "train/\(name)/\(index).png"
                    )
                }
            }
            for name in ["a", "e"] {
                let seed = Int(name.utf8.first ?? 0)
                try folder.write(MadeUpImage.png(seed, side: 64), to: "val/\(name)/1.png")
            }
            let report = try await check(folder)
            #expect(
                report.findings(of: .emptyClass).map(\.detail) == [
                    "d in \(folder.path)/train has no images"
                ]
            )
            #expect(report.findings(of: .lopsidedClass).count == 1)
            #expect(report.findings(of: .lopsidedClass)[0].detail.hasPrefix("c has 2 images"))
            let layout = report.findings(of: .layout)
            #expect(layout.count == 1 && layout[0].detail.contains("only in validation e"))
            #expect(report.classNames == ["a", "b", "c", "d", "e"])
            #expect(report.parts.map(\.classCounts) == [[25, 22, 2, 0, 0], [1, 0, 0, 0, 1]])
        }
    }

    @Test func aClassAloneIsTold() async throws {
        try await withTemporaryFolder { folder in
            for index in 0..<3 {
                try folder.write(MadeUpImage.png(index, side: 64), to: "train/a/\(index).png")
            }
            let found = try await check(folder).findings(of: .lopsidedClass).map(\.detail)
            #expect(found == ["a is the only class; a classifier needs at least two"])
        }
    }

    @Test func goesOnWhereOpeningWouldFail() async throws {
        try await withTemporaryFolder { folder in
            var tar = TarWriter()
            for index in 0..<3 {
                tar.add("\(index).png", [UInt8](MadeUpImage.png(index)))
                tar.add("\(index).cls", Array("\(index % 2)".utf8))
            }
            try folder.write(Data(tar.finished.prefix(tar.bytes.count - 600)), to: "shards/x.tar")
            let shards = try await DataCheck(path: folder.path + "/shards", workers: 2).run()
            #expect(shards.count == 2)
            #expect(shards.findings(of: .layout).map(\.detail).first?.contains("cut short") == true)
            #expect(throws: DatasetError.self) {
                try CleanList(shards).write(to: folder.path + "/c.csv")
            }

            try folder.write(MadeUpImage.png(1), to: "list/a.png")
            try folder.write(Data("file,class\na.png,x\nb.png,y\n".utf8), to: "list/list.csv")
            let list = try await DataCheck(path: folder.path + "/list", workers: 2).run()
            #expect(
                list.count == 1 && list.findings(of: .layout)[0].detail.contains("names 1 file")
            )

            for name in ["x/a.png", "y/b.png"] {
                try folder.write(MadeUpImage.png(name.count * 7), to: "both/\(name)")
            }
            try folder.write(Data("file,class\nx/a.png,y\n".utf8), to: "both/labels.csv")
            let both = try await DataCheck(path: folder.path + "/both", workers: 2).run()
            #expect(
                both.findings(of: .layout)[0].detail.contains("another class than their folder")
            )
        }
    }

    @Test func samplesWithoutFiles() async throws {
        try await withTemporaryFolder { folder in
            let images = [3, 4, 3].flatMap { MadeUpImage.samples($0, side: 28) }
            let header: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 28, 0, 0, 0, 28]
            try folder.write(Data(header + images), to: "train-images-idx3-ubyte")
            try folder.write(
                Data([0, 0, 8, 1, 0, 0, 0, 3, 1, 1, 1]),
                to: "train-labels-idx1-ubyte"
            )
            let report = try await check(folder)
            #expect(report.findings(of: .duplicate).map { $0.images.map(\.index) } == [[0, 2]])
            #expect(report.formats.map(\.name) == ["samples"])
        }
    }

    @Test func aPageThatNeedsNothingElse() async throws {
        try await withTemporaryFolder { folder in
            let name = "<b>&\"x\u{202E}gnp.exe"
            try folder.write(MadeUpImage.png(1), to: "<i>/\(name).png")
            try folder.write(MadeUpImage.png(1), to: "<i>/z.png")
            let report = try await check(folder)
            let path = folder.path + "/page.html"
            try ReportPage(report, title: "<script>").write(to: path)
            let html = try String(contentsOfFile: path, encoding: .utf8)
            #expect(!html.contains("<script>") && !html.contains("<b>&") && !html.contains("<i>"))
            #expect(!html.contains("\u{202E}") && html.contains("&lt;b&gt;&amp;&quot;x"))
            #expect(!html.contains("http:") && !html.contains("https:"))
            let images = html.ranges(of: "data:image/png;base64,")
            #expect(images.count == 2)
            // The image in the page is the image, in small.
            let start = try #require(images.first?.upperBound)
            let encoded = html[start...].prefix { $0 != "\"" }
            let png = try #require(Data(base64Encoded: String(encoded)))
            let thumbnail = try Image(decoding: [UInt8](png))
            #expect(thumbnail.pixels == MadeUpImage.samples(1) && thumbnail.height == 72)
        }
    }

    @Test func nothingThereIsAnError() async throws {
        try await withTemporaryFolder { folder in
            await #expect(throws: DatasetError.noImages(path: folder.path)) {
                try await check(folder)
            }
            #expect(throws: DatasetError.self) {
                try DataCheck(path: folder.path + "/no", workers: 2)
            }
            #expect(throws: DatasetError.self) { try DataCheck(path: folder.path, workers: 0) }
        }
    }
}
