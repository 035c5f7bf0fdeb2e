import Foundation
import ImagePipeline
import TestSupport
import Testing

@testable import Datasets

/// Images with several labels or none, in every form of data.
struct MultiLabelDataTests {
    private func withImages(_ body: (URL) throws -> Void) throws {
        try withTemporaryFolder { folder in
            for place in 0..<6 { try folder.writeImage("\(place).png", value: UInt8(place)) }
            try body(folder)
        }
    }

    private func open(
        _ folder: URL,
        _ rows: [String],
        _ format: LabelFormat = LabelFormat()
    ) throws -> ListDataset {
        try folder.write(Data(rows.joined(separator: "\n").utf8), to: "list.csv")
        return try ListDataset(path: "\(folder.path)/list.csv", labels: format)
    }

    private func names(_ data: any ImageDataset) -> [[String]] {
        (0..<data.count).map { data.labels(at: $0).map { data.classNames[$0] } }
    }

    @Test(
        "Cells with several classes",
        arguments: [
            (["file,labels", "0.png,dog|cat", "1.png,", "2.png,cat | ant|cat"], LabelFormat()),
            (["file,labels", "0.png,cat|dog", "1.png,", "2.png,ant", "2.png,cat"], LabelFormat()),
            (
                ["file,class", "0.png,dog;cat", "1.png,", "2.png,ant;cat"],
                LabelFormat(isMultiLabel: true, separator: ";")
            ),
            (
                ["image_name,tags", "0.png,dog  cat", "1.png,", "2.png,ant cat"],
                LabelFormat(separator: " ")
            ),
            (
                ["file,class", "0.png,dog", "0.png,cat", "1.png,", "2.png,ant", "2.png,cat"],
                LabelFormat(isMultiLabel: true)
            ),
            (
                [
                    "Path,dog,age,cat,ant,View", "0.png,1,30,1.0,0,AP", "1.png,0,1,,-1,PA",
                    "2.png,0,0,1,1,PA",
                ],
                LabelFormat()
            ),
        ]
    )
    func lists(_ rows: [String], _ format: LabelFormat) throws {
        try withImages { folder in
            let data = try open(folder, rows, format)
            #expect(data.isMultiLabel && data.classNames == ["ant", "cat", "dog"])
            #expect(names(data) == [["cat", "dog"], [], ["ant", "cat"]])
            #expect((0..<3).map(data.label) == [1, 0, 0])
            #expect(data.classCounts == [1, 2, 1])
            #expect((0..<3).map(data.className) == ["cat|dog", "none", "ant|cat"])
        }
    }

    @Test("What the columns of 0 and 1 leave out")
    func marks() throws {
        try withImages { folder in
            let data = try open(folder, ["file,a,b,note", "0.png,1,-1,x", "1.png,0,0,y"])
            #expect(data.classNames == ["a", "b"] && names(data) == [["a"], []])
            #expect(data.notes.count == 2)
            #expect(data.notes[0].hasSuffix("are not classes: note"))
            #expect(data.notes[1].hasSuffix("1 cell of -1 (uncertain) counts as 0"))
            #expect(throws: DatasetError.self) { try open(folder, ["file,note", "0.png,x"]) }
        }
    }

    @Test("One label an image stays so where nothing says otherwise")
    func singleLabels() throws {
        try withImages { folder in
            let data = try open(folder, ["file,class", "0.png,a|b", "1.png,c"])
            #expect(!data.isMultiLabel && data.classNames == ["a|b", "c"])
            #expect(data.labels(at: 1) == [1])
            #expect(throws: DatasetError.self) {
                try open(folder, ["file,class", "0.png,a", "0.png,b"])
            }
            #expect(throws: DatasetError.self) {
                try open(folder, ["file,labels", "0.png,", "1.png,"])
            }
        }
    }

    @Test("Splits of a list, and of lists of their own, have the same classes")
    func splits() throws {
        try withImages { folder in
            let rows = [
                "file,labels,split", "0.png,a|b,train", "1.png,b,train", "2.png,a,val",
                "0.png,c,val",
            ]
            try folder.write(Data(rows.joined(separator: "\n").utf8), to: "one/list.csv")
            try folder.write(
                Data("file,labels\n../0.png,a|b\n../1.png,c".utf8),
                to: "two/train.csv"
            )
            try folder.write(Data("file,labels\n../2.png,b".utf8), to: "two/val.csv")
            for place in 0..<3 { try folder.writeImage("one/\(place).png", value: UInt8(place)) }
            let one = try DatasetLocation(path: folder.path + "/one").openBoth()
            #expect(one.train.isMultiLabel && one.validation.isMultiLabel)
            #expect(names(one.train) == [["a", "b"], ["b"]])
            #expect(names(one.validation) == [["a"], ["c"]])
            #expect(one.train.notes.contains { $0.contains("no training images: c") })
            let two = try DatasetLocation(path: folder.path + "/two").openBoth()
            #expect(names(two.train) == [["a", "b"], ["c"]] && names(two.validation) == [["b"]])
        }
    }

    @Test("Links in several class folders are one image")
    func links() throws {
        try withTemporaryFolder { folder in
            try folder.writeImage("ant/0.png", value: 1)
            try folder.writeImage("bee/1.png", value: 2)
            try FileManager.default.createSymbolicLink(
                atPath: folder.path + "/bee/0.png",
                withDestinationPath: "../ant/0.png"
            )
            try FileManager.default.linkItem(
                atPath: folder.path + "/bee/1.png",
                toPath: folder.path + "/ant/other.png"
            )
            #expect(try ImageFolder(path: folder.path).count == 4)
            let data = try DatasetLocation(
                path: folder.path,
                labels: LabelFormat(isMultiLabel: true)
            ).open(.validation)
            #expect(data.isMultiLabel && data.count == 2)
            #expect(names(data) == [["ant", "bee"], ["ant", "bee"]])
            #expect(try data.image(at: 0).pixels[0] == 1 && data.image(at: 1).pixels[0] == 2)
        }
    }

    @Test("Arrays in the JSON files of shards")
    func shards() throws {
        try withTemporaryFolder { folder in
            var tar = TarWriter()
            let image = [UInt8](TinyPNG.data(height: 2, width: 3, value: 1))
            for (key, json) in [
                ("0", #"{"labels": ["dog", "cat"]}"#), ("1", #"{"labels": []}"#),
                ("2", #"{"label": "ant"}"#), ("3", #"{"labels": ["cat", "dog"]}"#),
            ] {
                tar.add("\(key).png", image)
                tar.add("\(key).json", Array(json.utf8))
            }
            try folder.write(Data(tar.finished), to: "x.tar")
            let data = try ShardDataset(paths: [folder.path + "/x.tar"])
            #expect(data.isMultiLabel && data.classNames == ["ant", "cat", "dog"])
            #expect(names(data) == [["cat", "dog"], [], ["ant"], ["cat", "dog"]])
        }
    }

    @Test("A share of each rarest class is held out")
    func heldOut() throws {
        try withTemporaryFolder { folder in
            var rows = ["file,labels"]
            for place in 0..<60 {
                try folder.writeImage("\(place).png", value: UInt8(place))
                let labels = place < 30 ? "common" : place < 50 ? "common|rare" : ""
                rows.append("\(place).png,\(labels)")
            }
            let data = try open(folder, rows)
            let parts = try Subset.split(data, holdingOut: 0.2, seed: 3)
            #expect(parts.validation.count == 12 && parts.validation.classCounts == [10, 4])
            #expect(parts.train.isMultiLabel && parts.train.classCounts == [40, 16])
            #expect((0..<12).count { parts.validation.labels(at: $0).isEmpty } == 2)
            let few = try Subset(of: data, stratified: 6, seed: 1)
            #expect(few.classCounts == [5, 2])
        }
    }

    @Test("Batches have a target for each class, mixed and smoothed")
    func batches() async throws {
        try await withTemporaryFolder { folder in
            for place in 0..<4 { try folder.writeImage("\(place).png", value: UInt8(place)) }
            let data = try open(
                folder,
                ["file,labels", "0.png,a|b", "1.png,", "2.png,c", "3.png,a"]
            )
            func targets(mixing: Mixing?, smoothing: Double) async throws -> [Float] {
                let loader = try DataLoader(
                    dataset: data,
                    transform: ImageProcessor.whole(
                        height: 3,
                        width: 4,
                        channels: 1,
                        mean: [0.5],
                        std: [0.5]
                    ),
                    plan: EpochPlan(count: 4, batchSize: 4, shuffles: false),
                    mixing: mixing,
                    smoothing: smoothing
                )
                var found: [Float] = []
                for try await batch in loader.batches() {
                    #expect(batch.isMultiLabel && batch.labels == [0, 0, 2, 0])
                    found += try #require(batch.targets)
                }
                return found
            }
            let plain = try await targets(mixing: nil, smoothing: 0)
            #expect(plain == [1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0])
            let smooth = try await targets(mixing: nil, smoothing: 0.2)
            #expect(zip(smooth, plain).allSatisfy { abs($0 - ($1 * 0.8 + 0.1)) < 1e-6 })
            let mixed = try await targets(
                mixing: Mixing(mixupAlpha: 1, cutmixAlpha: 0),
                smoothing: 0
            )
            // The first and the last image are mixed; both are of class a.
            #expect(mixed[0] == 1 && mixed[9] == 1 && mixed[2] == 0)
            #expect(mixed[1] > 0 && mixed[1] < 1 && abs(mixed[1] + mixed[10] - 1) < 1e-6)
        }
    }

    @Test("The data check counts and writes several labels")
    func check() async throws {
        try await withTemporaryFolder { folder in
            for place in 0..<4 {
                try folder.writeImage(
                    "\(place).png",
                    value: UInt8(place * 60),
                    height: 40,
                    width: 40
                )
            }
            try folder.write(
                Data("file,labels\n0.png,a|b\n1.png,\n2.png,b\n3.png,a\n".utf8),
                to: "list.csv"
            )
            let report = try await DataCheck(path: folder.path + "/list.csv", workers: 1).run()
            #expect(report.isMultiLabel && report.parts[0].classCounts == [2, 2])
            #expect(report.className(of: Finding.Item(part: 0, index: 0)) == "a|b")
            let path = folder.path + "/clean.csv"
            try CleanList(report).write(to: path)
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(text.hasPrefix("file,labels\n"))
            let again = try ListDataset(path: path)
            #expect(names(again).contains(["a", "b"]))
        }
    }
}
