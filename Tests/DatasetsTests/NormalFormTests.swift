import Datasets
import Foundation
import ImagePipeline
import Storage
import TestSupport
import Testing

/// Names in two Unicode normal forms, with spaces, and those that spreadsheets take for formulas.
@Suite(.timeLimit(.minutes(5)))
struct NormalFormTests {
    private static let composed = "pens\u{E9}e"
    private static let decomposed = "pense\u{301}e"

    @Test func twoFoldersOfOneNameAreRefused() async throws {
        try await withTemporaryFolder { folder in
            for (place, name) in [Self.composed, Self.decomposed, "rose"].enumerated() {
                try folder.writeImage("\(name)/a.png", value: UInt8(place))
            }
            // A disk that knows one form only has nothing to tell apart.
            guard try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 3 else {
                return
            }
            let error = #expect(throws: DatasetError.self) {
                try DatasetLocation(path: folder.path).open(.validation)
            }
            #expect("\(error as Any)".contains(#"pense\u{301}e and pens\u{E9}e"#))
            let report = try await DataCheck(path: folder.path, workers: 1).run()
            #expect(report.findings(of: .layout).map(\.detail) == ["\(try #require(error))"])
            #expect(report.count == 3 && report.classNames.count == 2)
        }
    }

    @Test func partsInDifferentForms() async throws {
        try await withTemporaryFolder { folder in
            // Decomposed it comes before "rose", composed after "zebra".
            for (place, name) in ["rose", "\u{E9}x"].enumerated() {
                try folder.writeImage("train/\(name)/a.png", value: UInt8(place))
            }
            for (place, name) in ["rose", "e\u{301}x"].enumerated() {
                try folder.writeImage("val/\(name)/a.png", value: UInt8(place))
            }
            let (train, validation) = try DatasetLocation(path: folder.path).openBoth()
            #expect(train.classNames == validation.classNames)
            for data in [train, validation] {
                for index in 0..<2 {
                    let value = try data.image(at: index).pixels[0]
                    let name = data.classNames[data.label(at: index)]
                    #expect(name == ["rose", "éx"][Int(value)])
                }
            }
            // The spelling is the training part's, byte for byte.
            #expect(train.classNames.contains { Array($0.utf8) == Array("\u{E9}x".utf8) })
            let report = try await DataCheck(path: folder.path, workers: 1).run()
            #expect(report.findings(of: .layout).isEmpty && report.classNames.count == 2)
        }
    }

    @Test func listsInAnotherFormThanTheDisk() throws {
        try withTemporaryFolder { folder in
            try folder.writeImage("\(Self.composed)/\(Self.composed).png", value: 7)
            try folder.writeImage("b/b.png")
            let text = """
                file,class
                \(Self.decomposed)/\(Self.decomposed).png,\(Self.decomposed)
                b/b.png,b
                \(Self.decomposed)/\(Self.composed).png,\(Self.composed)
                """
            try folder.write(Data(text.utf8), to: "list.csv")
            let data = try ListDataset(path: folder.path + "/list.csv")
            #expect(data.count == 3 && data.classNames.count == 2)
            #expect(data.label(at: 0) == data.label(at: 2))
            #expect(try data.image(at: 0).pixels[0] == 7)
        }
    }

    @Test func archivesInTwoForms() throws {
        try withTemporaryFolder { folder in
            var (folders, named) = (TarWriter(), TarWriter())
            for (place, name) in [Self.composed, Self.decomposed, "rose"].enumerated() {
                let image = [UInt8](TinyPNG.data(height: 2, width: 2, value: UInt8(place)))
                folders.add("\(name)/\(place).png", image)
                named.add("\(place).png", image)
                named.add("\(place).cls", Array(name.utf8))
            }
            for (path, tar) in [("f.tar", folders), ("n.tar", named)] {
                try folder.write(Data(tar.finished), to: path)
                let data = try ShardDataset(paths: ["\(folder.path)/\(path)"])
                #expect(data.count == 3 && data.classNames == [Self.composed, "rose"])
                #expect((0..<3).map(data.label) == [0, 0, 1])
            }
        }
    }

    /// Names that must come back from the cleaned list as they are.
    static let oddNames = [
        "rose ", " rose", "rose", "Rose", "=1+2", "+a", "-a", "@SUM(A1)", "'=x", "''=x", "'quoted'",
        "a\"b", "a\"\u{301}", "a,b", "a;b", "\tx", "-1", "\u{FF1D}1", "a\nb", "\u{301}x",
        composedAndMore,
    ]
    private static let composedAndMore = "e\u{301} "

    @Test func cleanedListKeepsEveryName() async throws {
        try await withTemporaryFolder { folder in
            for (place, name) in Self.oddNames.enumerated() {
                let samples = (0..<64).map { UInt8(($0 * ($0 + 3 * place + 1)) % 251) }
                let image = TinyPNG.data(height: 8, width: 8, samples: samples)
                try folder.write(image, to: "set/\(name)/=\(place).png")
            }
            let original = try DatasetLocation(path: folder.path + "/set").open(.validation)
            let report = try await DataCheck(path: folder.path + "/set", workers: 1).run()
            let list = CleanList(report)
            #expect(list.kept == Self.oddNames.count)
            try list.write(to: folder.path + "/set/clean.csv")
            let copy = try ListDataset(path: folder.path + "/set/clean.csv")
            func bytes(_ data: any ImageDataset) -> [[UInt8]] {
                data.classNames.map { Array($0.utf8) }
            }
            #expect(bytes(copy) == bytes(original))
            #expect((0..<copy.count).map(copy.label) == (0..<original.count).map(original.label))
            #expect((0..<copy.count).map(copy.name) == (0..<original.count).map(original.name))
            let text = try String(contentsOfFile: folder.path + "/set/clean.csv", encoding: .utf8)
            for formula in [",=", ",+", ",@", ",\"=", ",\"@", ",\"\t", ",-a", "\n="] {
                #expect(!text.contains(formula), "\(formula)")
            }
            // Nothing lies around, and a link that waits under a name that could be guessed is not followed.
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/set")
            #expect(!names.contains { $0.contains(".tmp-") || $0.hasSuffix(".part") })
        }
    }

    @Test func listsBesideALinkAreNotWrittenThrough() throws {
        try withTemporaryFolder { folder in
            let guess = "clean.csv.\(ProcessInfo.processInfo.processIdentifier).part"
            try folder.write(Data("precious".utf8), to: "victim")
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder.path)/\(guess)",
                withDestinationPath: folder.path + "/victim"
            )
            #expect(ExclusiveFile.create("\(folder.path)/\(guess)") < 0)
            let one = ExclusiveFile.path(beside: folder.path + "/clean.csv")
            #expect(one != ExclusiveFile.path(beside: folder.path + "/clean.csv"))
            #expect(one.hasPrefix(folder.path + "/."))
            let victim = try String(contentsOfFile: folder.path + "/victim", encoding: .utf8)
            #expect(victim == "precious")
        }
    }

    @Test func classesInOneLine() {
        #expect(ClassNames.summary(["a"]) == "1 class: a")
        #expect(ClassNames.summary(["a", "b"]) == "2 classes: a, b")
        #expect(ClassNames.summary(["a", "b", "c"], limit: 2) == "3 classes: a, b and 1 more")
        #expect(counted(1, "copy") == "1 copy" && counted(2, "copy") == "2 copies")
        #expect(counted(0, "class") == "0 classes" && counted(3, "image") == "3 images")
        #expect(counted(2, "day") == "2 days")
    }
}
