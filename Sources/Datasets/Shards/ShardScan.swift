import Foundation

/// What one archive says of a picture's class.
enum ShardLabel: Hashable {
    /// A number beside the picture.
    case number(Int)
    /// A name beside the picture.
    case name(String)
    /// Nothing beside it; the folder that it lies in.
    case folder(String)
}

/// One pass over an archive: where its pictures are and what it says of their classes.
///
/// Members that follow one another and share their name up to the first dot are one sample, as in WebDataset: `17.jpg`
/// with `17.cls` (a number or a name) or `17.json` (`label` or `class_name`). A picture without such company is labelled
/// by its folder.
///
/// ## Source
/// WebDataset, `webdataset/tariterators.py, group_by_keys`.
struct ShardScan {
    /// A picture.
    struct Picture {
        /// Where its header begins, to read the name again.
        let start: Int
        let offset: Int
        let size: Int
        /// Its label, as an index into `labels`.
        let label: Int32
    }

    /// A member that is no picture and no label.
    struct OtherFile {
        let name: String
        let offset: Int
        let size: Int
    }

    private(set) var pictures: [Picture] = []
    private(set) var labels: [ShardLabel] = []
    /// The first members that are neither picture nor label.
    private(set) var others: [OtherFile] = []
    /// Samples of more than one picture, of which the first counts.
    private(set) var crowded = 0
    /// What is wrong with the archive; what came before is there.
    private(set) var problem: DatasetError?

    private let file: ShardFile
    private var places: [ShardLabel: Int32] = [:]
    private var sample = Sample()

    private struct Sample {
        var stem: ArraySlice<UInt8> = []
        var pictures: [(member: TarMember, isPlain: Bool)] = []
        var label: (value: ShardLabel, isCertain: Bool)?
    }

    private static let otherLimit = 1000

    /// Scans an archive to its end or its damage.
    ///
    /// - Parameters:
    ///   - file: The archive.
    ///   - problem: What is known to be wrong with it.
    init(_ file: ShardFile, problem: DatasetError?) {
        self.file = file
        do throws(DatasetError) {
            var reader = TarReader(file)
            while let member = try reader.next() { try add(member) }
            self.problem = problem
        } catch {
            // Of data that ends too early the cause is of more use than what follows from it.
            self.problem = problem ?? error
        }
        flush()
    }

    private mutating func add(_ member: TarMember) throws(DatasetError) {
        guard member.isFile, let name = ShardName(member.name) else { return }
        if name.stem != sample.stem {
            flush()
            sample.stem = name.stem
        }
        if name.isPicture {
            sample.pictures.append((member, name.isPlain))
        } else if ShardName.labelEndings.contains(name.ending) {
            let bytes = try file.read(at: member.offset, count: min(member.size, 1 << 16))
            if let label = ShardLabel(text: bytes) { sample.label = (label, true) }
        } else if name.ending == "json", sample.label?.isCertain != true, member.size <= 1 << 20 {
            let bytes = try file.read(at: member.offset, count: member.size)
            if let label = ShardLabel(json: bytes) { sample.label = (label, false) }
        } else if others.count < Self.otherLimit {
            let text = String(decoding: member.name, as: UTF8.self)
            others.append(OtherFile(name: text, offset: member.offset, size: member.size))
        }
    }

    /// Takes over the sample that has ended.
    private mutating func flush() {
        defer { sample = Sample() }
        if let label = sample.label?.value {
            guard let picture = sample.pictures.first(where: \.isPlain) ?? sample.pictures.first
            else { return }
            if sample.pictures.count > 1 { crowded += 1 }
            append(picture.member, label)
        } else {
            for picture in sample.pictures {
                append(picture.member, .folder(ShardName.folder(of: picture.member.name)))
            }
        }
    }

    private mutating func append(_ member: TarMember, _ label: ShardLabel) {
        let place = places[label] ?? Int32(labels.count)
        if Int(place) == labels.count {
            labels.append(label)
            places[label] = place
        }
        pictures.append(
            Picture(start: member.start, offset: member.offset, size: member.size, label: place)
        )
    }
}

/// A member's name, taken apart as WebDataset does.
private struct ShardName {
    /// The path up to the first dot of its last part.
    let stem: ArraySlice<UInt8>
    /// What follows that dot, in small letters.
    let ending: String

    static let labelEndings: Set<String> = [
        "cls", "cls.txt", "class", "class.txt", "label", "label.txt",
    ]

    /// - Returns: nil for hidden files.
    init?(_ name: [UInt8]) {
        let base = name.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        guard base < name.count, name[base] != UInt8(ascii: ".") else { return nil }
        let dot = name[base...].firstIndex(of: UInt8(ascii: ".")) ?? name.count
        stem = name[..<dot]
        ending = String(decoding: name[min(dot + 1, name.count)...], as: UTF8.self).lowercased()
    }

    var isPlain: Bool { ImageFolder.extensions.contains(ending) }

    var isPicture: Bool {
        isPlain || fileExtension(ending).map(ImageFolder.extensions.contains) == true
    }

    static func folder(of name: [UInt8]) -> String {
        let slash = name.lastIndex(of: UInt8(ascii: "/")) ?? 0
        let folder = name[..<slash]
        return String(validating: folder, as: UTF8.self) ?? escaped(folder)
    }
}

extension ShardLabel {
    /// A label file's text; nil where it is empty or not UTF-8.
    init?(text bytes: [UInt8]) {
        guard let text = String(validating: bytes, as: UTF8.self)?.trimmed, !text.isEmpty else {
            return nil
        }
        self = Int(text).map(ShardLabel.number) ?? .name(text)
    }

    /// The label in a sample's JSON object; nil where it has none.
    init?(json bytes: [UInt8]) {
        guard let object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
        else {
            return nil
        }
        for key in ["class_name", "label_name", "class", "label", "cls", "target"] {
            if let name = object[key] as? String, !name.isEmpty {
                self = Int(name).map(ShardLabel.number) ?? .name(name)
                return
            }
            if let number = object[key] as? Int {
                self = .number(number)
                return
            }
        }
        return nil
    }
}
