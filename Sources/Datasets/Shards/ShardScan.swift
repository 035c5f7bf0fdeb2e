import Foundation
import Storage

/// What one archive says of an image's class.
enum ShardLabel: Hashable {
    /// A number next to the image.
    case number(Int)
    /// A name next to the image.
    case name(String)
    /// Nothing next to it; the folder that it is in.
    case folder(String)
    /// Any number of the first two kinds.
    indirect case several([ShardLabel])
}

/// One pass over an archive: where its images are and what it says of their classes.
///
/// Members that follow one another and share their name up to the first dot are one sample, as in WebDataset: `17.jpg`
/// with `17.cls` (a number or a name) or `17.json` (`label` or `class_name`). If labels have longer names,
/// `img.0.jpg` with `img.0.cls`, each is that image's: WebDataset itself would take `img` for one sample. An image
/// without such company is labelled by its folder. Links are followed inside the archive.
///
/// ## Source
/// WebDataset, `webdataset/tariterators.py, group_by_keys`.
struct ShardScan {
    /// An image.
    struct ImageMember {
        /// Where its header begins, to read the name again.
        let start: Int
        let offset: Int
        let size: Int
        /// Its label, as an index into `labels`.
        let label: Int32
    }

    /// A member that is neither an image nor a label.
    struct OtherFile {
        let name: String
        let offset: Int
        let size: Int
    }

    private(set) var images: [ImageMember] = []
    private(set) var labels: [ShardLabel] = []
    /// The first members that are neither image nor label.
    private(set) var others: [OtherFile] = []
    /// Samples of more than one image, of which the first counts.
    private(set) var crowded = 0
    /// Images whose label has the same name up to its last dots.
    private(set) var dotted = 0
    /// Links to images that lead to no file of the archive, by what is wrong with them.
    private(set) var deadLinks: [(name: String, reason: String)] = []
    /// Whether the archive has no end mark.
    private(set) var lacksEnd = false
    /// What is wrong with the archive; what came before is there.
    private(set) var problem: DatasetError?

    private let file: OpenFile
    private var places: [ShardLabel: Int32] = [:]
    private var sample = Sample()
    private var links: TarLinks?
    private var linkedFiles = 0

    private struct Sample {
        var stem: ArraySlice<UInt8> = []
        var images: [(member: TarMember, name: ShardName)] = []
        var label: (value: ShardLabel, isCertain: Bool)?
        /// Labels next to names with further dots.
        var dotted: [ArraySlice<UInt8>: (value: ShardLabel, isCertain: Bool)] = [:]
    }

    private static let otherLimit = 1000
    /// The maximum number of files that links to folders expand to.
    private static let linkedLimit = 2_000_000

    /// Scans an archive to its end or its damage.
    ///
    /// - Parameters:
    ///   - file: The archive.
    ///   - problem: What is known to be wrong with it.
    init(_ file: OpenFile, problem: DatasetError?) {
        self.file = file
        do throws(DatasetError) {
            var reader = TarReader(file)
            while let member = try DatasetError.of(reader.next()) { try take(member) }
            lacksEnd = reader.lacksEnd
            self.problem = problem
        } catch {
            // Of data that ends too early the cause is of more use than what follows from it.
            self.problem = problem ?? error
        }
        flush()
    }

    private mutating func take(_ member: TarMember) throws(DatasetError) {
        switch member.kind {
        case .file: try add(member)
        case .hardLink, .symbolicLink: try follow(member)
        case .folder, .other: return
        }
    }

    /// Takes what a link leads to, under the link's name.
    private mutating func follow(_ link: TarMember) throws(DatasetError) {
        let known = links ?? TarLinks(file)
        links = known
        func dead(_ reason: String) {
            guard ShardName(link.name).map({ $0.isImage || $0.suffix.isEmpty }) ?? false else {
                return
            }
            deadLinks.append((String(decoding: link.name, as: UTF8.self), reason))
        }
        switch known.target(of: link) {
        case .file(let target):
            try add(target.renamed(link.name, start: link.start))
        case .folder(let folder):
            // A link to a folder around itself names what is there already.
            if link.name.starts(with: folder + [UInt8(ascii: "/")]) || folder.isEmpty {
                dead("leads back to a parent folder")
                return
            }
            let found = known.files(in: folder)
            // A search goes through all files, whether it finds any or not.
            linkedFiles += max(found.count, known.count / 64)
            guard linkedFiles <= Self.linkedLimit else {
                throw .malformed(
                    path: file.path,
                    detail: "its links to folders expand to more than \(Self.linkedLimit) files"
                )
            }
            if found.isEmpty { dead("leads to nothing in the archive") }
            for (target, rest) in found {
                let name = link.name + [UInt8(ascii: "/")] + rest
                try add(target.renamed(name, start: target.start))
            }
        case .outside: dead("leads out of the archive")
        case .circle: dead("forms a cycle")
        }
    }

    private mutating func add(_ member: TarMember) throws(DatasetError) {
        guard let name = ShardName(member.name) else { return }
        if name.stem != sample.stem {
            flush()
            sample.stem = name.stem
        }
        if name.isImage {
            sample.images.append((member, name))
        } else if ShardName.labelEndings.contains(name.suffix) {
            let bytes = try read(member, limit: 1 << 16)
            if let label = ShardLabel(text: bytes) { setLabel(label, isCertain: true, name) }
        } else if name.suffix == "json", member.size <= 1 << 20 {
            let bytes = try read(member, limit: 1 << 20)
            if let label = ShardLabel(json: bytes) { setLabel(label, isCertain: false, name) }
        } else if others.count < Self.otherLimit {
            let text = String(decoding: member.name, as: UTF8.self)
            others.append(OtherFile(name: text, offset: member.offset, size: member.size))
        }
    }

    private func read(_ member: TarMember, limit: Int) throws(DatasetError) -> [UInt8] {
        try DatasetError.of(file.read(at: member.offset, count: min(member.size, limit)))
    }

    /// Keeps a label of the sample; one of JSON only where there is no other.
    private mutating func setLabel(_ label: ShardLabel, isCertain: Bool, _ name: ShardName) {
        let known = name.isPlain ? sample.label : sample.dotted[name.key]
        guard isCertain || known?.isCertain != true else { return }
        if name.isPlain {
            sample.label = (label, isCertain)
        } else {
            sample.dotted[name.key] = (label, isCertain)
        }
    }

    /// Takes over the sample that has ended.
    private mutating func flush() {
        defer { sample = Sample() }
        var rest: [(member: TarMember, name: ShardName)] = []
        for image in sample.images {
            if let label = sample.dotted[image.name.key] {
                append(image.member, label.value)
                dotted += 1
            } else {
                rest.append(image)
            }
        }
        if let label = sample.label?.value {
            guard let image = rest.first(where: \.name.isPlain) ?? rest.first else { return }
            if rest.count > 1 { crowded += 1 }
            append(image.member, label)
        } else {
            for image in rest {
                append(image.member, .folder(ShardName.folder(of: image.member.name)))
            }
        }
    }

    private mutating func append(_ member: TarMember, _ label: ShardLabel) {
        let place = places[label] ?? Int32(labels.count)
        if Int(place) == labels.count {
            labels.append(label)
            places[label] = place
        }
        images.append(
            ImageMember(start: member.start, offset: member.offset, size: member.size, label: place)
        )
    }
}

/// A member's name, taken apart as WebDataset does, and at its ending.
private struct ShardName {
    /// The path up to the first dot of its last part.
    let stem: ArraySlice<UInt8>
    /// The path without its ending.
    let key: ArraySlice<UInt8>
    /// Its ending in small letters, such as `jpg` or `cls.txt`; empty where it has none.
    let suffix: String

    static let labelEndings: Set<String> = [
        "cls", "cls.txt", "class", "class.txt", "label", "label.txt",
    ]

    /// - Returns: nil for hidden files.
    init?(_ name: [UInt8]) {
        let base = name.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        guard base < name.count, name[base] != UInt8(ascii: ".") else { return nil }
        let dots = name[base...].indices.filter { name[$0] == UInt8(ascii: ".") }
        stem = name[..<(dots.first ?? name.count)]
        func ending(_ dot: Int) -> String {
            String(decoding: name[(dot + 1)...], as: UTF8.self).lowercased()
        }
        // An ending of two parts, such as `cls.txt`, comes before its last part.
        let double = dots.suffix(2).first.flatMap {
            Self.labelEndings.contains(ending($0)) ? $0 : nil
        }
        let dot = double ?? dots.last
        key = name[..<(dot ?? name.count)]
        suffix = dot.map(ending) ?? ""
    }

    /// Whether its ending begins at the first dot.
    var isPlain: Bool { key.count == stem.count }

    var isImage: Bool { ImageFolder.extensions.contains(suffix) }

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
        for key in ["labels", "classes", "class_names", "tags", "label", "class"] {
            guard let list = object[key] as? [Any] else { continue }
            let labels = list.compactMap { value -> ShardLabel? in
                if let name = value as? String {
                    return Int(name).map(ShardLabel.number) ?? .name(name)
                }
                return (value as? Int).map(ShardLabel.number)
            }
            guard labels.count == list.count else { return nil }
            self = .several(labels)
            return
        }
        return nil
    }
}
