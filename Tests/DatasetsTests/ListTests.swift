import Datasets
import Foundation
import ImagePipeline
import TestSupport
import Testing

struct ListTests {
    private func withImages(_ body: (URL) throws -> Void) throws {
        try withTemporaryFolder { folder in
            for (place, name) in ["a.png", "b.png", "sub/c.png", "d, e.png", "ü.png"].enumerated() {
                try folder.writeImage("pics/\(name)", value: UInt8(place))
            }
            try body(folder)
        }
    }

    private func open(
        _ folder: URL,
        _ text: String,
        as name: String = "list.csv"
    ) throws -> ListDataset {
        try folder.write(Data(text.utf8), to: name)
        return try ListDataset(path: "\(folder.path)/\(name)")
    }

    @Test(arguments: [
        ("list.csv", "file,class\npics/b.png,dog\npics/sub/c.png,cat\n\"pics/d, e.png\",dog\n"),
        ("list.csv", "pics/b.png,dog\r\npics/sub/c.png,cat\r\n\"pics/d, e.png\",dog"),
        (
            "list.csv",
            "\u{FEFF}weight;class;path\n1;dog;pics/b.png\n\n;cat;pics/sub/c.png\n;dog ;pics/d, e.png\n"
        ),
        ("list.tsv", "image\tlabel\npics/b.png\tdog\npics/sub/c.png\tcat\npics/d, e.png\tdog\n"),
    ])
    func formsOfOneList(_ name: String, _ text: String) throws {
        try withImages { folder in
            let data = try open(folder, text, as: name)
            #expect(data.count == 3 && data.classNames == ["cat", "dog"])
            #expect((0..<3).map(data.label) == [1, 0, 1])
            #expect(try (0..<3).map { try data.image(at: $0).pixels[0] } == [1, 2, 3])
            #expect(data.name(at: 2) == folder.path + "/pics/d, e.png")
            #expect(data.filePath(at: 0) == folder.path + "/pics/b.png")
        }
    }

    @Test func numbersAndTheirNames() throws {
        try withImages { folder in
            let numbers = "file,label\npics/a.png,10\npics/b.png,9\npics/ü.png,10\n"
            #expect(try open(folder, numbers).classNames == ["9", "10"])
            let named = "file,label,class\npics/a.png,2,ant\npics/b.png,0,wasp\n"
            let data = try open(folder, named)
            #expect(data.classNames == ["wasp", "ant"] && (0..<2).map(data.label) == [1, 0])
            try folder.write(Data("x\ny\nz\n".utf8), to: "classes.txt")
            let listed = try open(folder, "file,label\npics/a.png,2\npics/b.png,0\n")
            #expect(listed.classNames == ["x", "y", "z"] && (0..<2).map(listed.label) == [2, 0])
            #expect(throws: DatasetError.self) { try open(folder, numbers) }
        }
    }

    @Test func namesAreRelativeToTheUsualFolders() throws {
        try withImages { folder in
            try folder.writeImage("images/x.png")
            #expect(try open(folder, "file,class\nx.png,a\n").count == 1)
            #expect(
                try open(folder, "file,class\na.png,a\nsub/c.png,a\n", as: "pics.csv").count == 2
            )
            #expect(try open(folder, "file,class\n\(folder.path)/pics/a.png,a\n").count == 1)
        }
    }

    @Test(arguments: [
        (
            "file,class\npics/a.png,x\npics/no.png,y\npics/nor.png,y\n",
            "names 2 files that do not exist"
        ),
        ("file,class\npics/a.png\n", "line 2 has 1 of at least 2 cells"),
        ("file,class\npics/a.png,\n", "line 2 lacks"),
        ("file,class\n", "names no images"),
        ("", "names no images"),
        ("what,ever\npics/a.png,x\n", "first line must name the columns"),
        ("file,size\npics/a.png,3\n", "no column of classes"),
        ("file,class\n\"pics/a.png,x\n", "quotation mark is not closed"),
        ("file,class\n\"pics/a.png\"b,x\n", "text after a closing quotation mark"),
        ("file,class,split\npics/a.png,x,middle\n", "the split \"middle\""),
        ("file,label,class\npics/a.png,0,x\npics/b.png,0,y\n", "gives the label 0 to both x and y"),
        (
            "file,label,class\npics/a.png,0,x\npics/b.png,1,x\n",
            "gives the class x the labels 0 and 1"
        ),
        ("file,class\npics/a.png,a\0b\n", "zero byte"),
        ("file,class\npics/a.png,x\npics/b.png,x\npics/a.png,y\n", "pics/a.png to both x and y"),
    ])
    func mistakesAreTold(_ text: String, _ words: String) throws {
        try withImages { folder in
            let error = #expect(throws: DatasetError.self) { try open(folder, text) }
            #expect("\(error as Any)".contains(words), "\(error as Any)")
        }
    }

    @Test func textThatIsNotUTF8() throws {
        try withImages { folder in
            try folder.write(
                Data("file,class\npics/".utf8) + [0xE4] + Data(".png,x\n".utf8),
                to: "list.csv"
            )
            let error = #expect(throws: DatasetError.self) {
                try ListDataset(path: folder.path + "/list.csv")
            }
            #expect("\(error as Any)".contains(#"line 2: "pics/\xE4.png" is not UTF-8"#))
        }
    }

    @Test func partsInAColumnOrInFiles() throws {
        try withImages { folder in
            let text =
                "file,class,split\npics/a.png,x,train\npics/b.png,y,training\npics/ü.png,y,val\n"
            let path = folder.path + "/one/list.csv"
            try folder.write(Data(text.replacing("pics", with: "../pics").utf8), to: "one/list.csv")
            for place in [path, folder.path + "/one"] {
                let (train, validation) = try DatasetLocation(path: place).openBoth()
                #expect(train.count == 2 && validation.count == 1)
                #expect(train.classNames == ["x", "y"] && validation.label(at: 0) == 1)
            }
            #expect(try ListDataset(path: path).count == 3)
            // A label that only one of two lists has does not change the others' numbers.
            try folder.write(
                Data("file,label\n../pics/a.png,0\n../pics/b.png,7\n".utf8),
                to: "two/train.csv"
            )
            try folder.write(Data("file,label\n../pics/ü.png,7\n".utf8), to: "two/test.csv")
            let (train, validation) = try DatasetLocation(path: folder.path + "/two").openBoth()
            #expect(train.classNames == ["0", "7"] && validation.label(at: 0) == 1)
        }
    }

    @Test func foldersOfPlainImagesWithLists() throws {
        try withTemporaryFolder { folder in
            for name in ["train/1.png", "train/2.png", "test/3.png"] {
                try folder.writeImage("k/" + name)
            }
            try folder.write(Data("image_id,label\n1.png,b\n2.png,a\n".utf8), to: "k/train.csv")
            try folder.write(Data("image_id,label\n3.png,b\n".utf8), to: "k/test.csv")
            let (train, validation) = try DatasetLocation(path: folder.path + "/k").openBoth()
            #expect(train.count == 2 && train.classNames == ["a", "b"])
            #expect(validation.name(at: 0) == folder.path + "/k/test/3.png")
            for name in ["train/1.png", "val/2.png"] { try folder.writeImage("m/" + name) }
            try folder.write(
                Data("file,class,split\ntrain/1.png,x,train\nval/2.png,x,val\n".utf8),
                to: "m/labels.csv"
            )
            #expect(try DatasetLocation(path: folder.path + "/m").openBoth().validation.count == 1)
        }
    }

    @Test func testRowsAreNotMixedIntoVal() throws {
        try withImages { folder in
            let text = """
                file,class,split
                pics/a.png,x,train
                pics/b.png,x,val
                pics/ü.png,y,test
                """
            try folder.write(Data(text.utf8), to: "list.csv")
            let (train, validation) = try DatasetLocation(path: folder.path + "/list.csv")
                .openBoth()
            #expect(train.count == 1 && validation.count == 1 && train.classNames == ["x"])
            #expect(
                train.notes.contains(
                    "skipped 1 image of the split test, because there is a validation split"
                )
            )
            try folder.write(Data(text.replacing(",val", with: ",test").utf8), to: "list.csv")
            let both = try DatasetLocation(path: folder.path + "/list.csv").openBoth()
            #expect(
                both.validation.count == 2 && !both.train.notes.contains { $0.contains("skipped") }
            )
        }
    }

    @Test func aListBesideFoldersMustAgree() throws {
        try withTemporaryFolder { folder in
            for name in ["cat/1.png", "cat/2.png", "dog/1.png"] { try folder.writeImage(name) }
            func open(_ rows: String) throws -> any ImageDataset {
                try folder.write(Data("file,class\n\(rows)".utf8), to: "labels.csv")
                return try DatasetLocation(path: folder.path).open(.validation)
            }
            #expect(try open("cat/1.png,cat\ncat/2.png,cat\ndog/1.png,dog\n").notes.isEmpty)
            let fewer = try open("cat/1.png,cat\n")
            #expect(
                fewer.count == 3 && fewer.notes.contains { $0.contains("does not name 2 of the 3") }
            )
            let error = #expect(throws: DatasetError.self) {
                try open("cat/1.png,dog\ncat/2.png,cat\n")
            }
            #expect(
                error
                    == .labelsDisagree(
                        list: folder.path + "/labels.csv",
                        count: 1,
                        first: ["\(folder.path)/cat/1.png (dog)"]
                    )
            )
            #expect(throws: DatasetError.self) { try open("cat/9.png,cat\n") }
            // Named itself the list counts, and says where folders tell otherwise.
            try folder.write(
                Data("file,class\ncat/1.png,dog\ncat/2.png,cat\n".utf8),
                to: "labels.csv"
            )
            let list = try DatasetLocation(path: folder.path + "/labels.csv").open(.validation)
            #expect(
                list.label(at: 0) == 1
                    && list.notes.contains { $0.contains("1 image is in a folder") }
            )
        }
    }
}
