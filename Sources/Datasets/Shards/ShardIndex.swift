import Dispatch
import ImagePipeline
import Storage
import Synchronization

/// Where all images of a set of tar archives are, built by one pass over each archive.
final class ShardIndex: Sendable {
    /// An archive, and the part that all its images belong to; nil where its folders say, or nothing does.
    struct Shard: Sendable, Hashable {
        let path: String
        var split: DatasetSplit?
    }

    /// An image.
    struct Entry: Sendable {
        let start: Int
        let offset: Int
        let size: Int
        let shard: Int32
        /// The label; of an image with several the first, and 0 where it has none.
        var label: Int32
        /// Where images may have several labels or none: which of the index's sets has the image's.
        var set: Int32
        var split: DatasetSplit?
    }

    let shards: [Shard]
    let entries: [Entry]
    /// The sets of labels that images have, where they may have several or none.
    let labelSets: LabelSets?
    let classNames: [String]
    /// What is wrong with single archives or images.
    let problems: [DatasetError]
    /// What was noticed and is not an error.
    let notes: [String]
    /// Members that are neither images nor labels: their archive and place.
    let others: [(shard: Int, file: ShardScan.OtherFile)]

    /// Archives that stay open: inflated ones, and the first of the others.
    private let open: [OpenFile?]
    /// Systems usually let a process open 1024 files.
    private static let openLimit = 256

    /// Scans archives, several at a time.
    ///
    /// - Parameter shards: The archives, in order.
    /// - Throws: ``DatasetError`` when one cannot be read or none is a tar archive.
    init(_ shards: [Shard]) throws(DatasetError) {
        self.shards = shards
        let results = Mutex([Result<Scanned, DatasetError>?](repeating: nil, count: shards.count))
        DispatchQueue.concurrentPerform(iterations: shards.count) { place in
            let result = Result { () throws(DatasetError) in try Scanned(shards[place].path) }
            results.withLock { $0[place] = result }
        }
        var scanned: [Scanned] = []
        for result in results.withLock({ $0 }) {
            if let result { scanned.append(try result.get()) }
        }
        open = scanned.enumerated().map { place, scan in
            scan.isInflated || place < Self.openLimit ? scan.file : nil
        }
        others = scanned.enumerated().flatMap { place, scan in
            scan.scan.others.map { (place, $0) }
        }
        let classes = try ShardClasses(scanned.map(\.scan), shards)
        var entries: [Entry] = []
        entries.reserveCapacity(scanned.reduce(0) { $0 + $1.scan.images.count })
        var labelSets = LabelSets()
        var (setOf, setCount): ([[Int32]: Int32], Int32) = ([:], 0)
        for (place, scan) in scanned.enumerated() {
            for image in scan.scan.images {
                guard let target = classes.targets[place][Int(image.label)] else { continue }
                var set: Int32 = 0
                if classes.isMultiLabel {
                    set = setOf[target.labels] ?? setCount
                    if set == setCount {
                        labelSets.append(target.labels)
                        setOf[target.labels] = set
                        setCount += 1
                    }
                }
                entries.append(
                    Entry(
                        start: image.start,
                        offset: image.offset,
                        size: image.size,
                        shard: Int32(place),
                        label: target.labels.min() ?? 0,
                        set: set,
                        split: target.split
                    )
                )
            }
        }
        self.entries = entries
        self.labelSets = classes.isMultiLabel ? labelSets : nil
        classNames = classes.names
        problems = scanned.compactMap(\.scan.problem) + classes.problems
        notes = classes.notes + Self.notes(on: scanned.map(\.scan), shards)
    }

    /// What was noticed in the archives and is not an error.
    private static func notes(on scans: [ShardScan], _ shards: [Shard]) -> [String] {
        var notes: [String] = []
        let crowded = scans.reduce(0) { $0 + $1.crowded }
        if crowded > 0 {
            notes.append(
                "\(counted(crowded, "sample")) contain\(crowded == 1 ? "s" : "") more than one image;"
                    + " the first of each is used"
            )
        }
        let dotted = scans.reduce(0) { $0 + $1.dotted }
        if dotted > 0 {
            notes.append(
                "\(counted(dotted, "image")) \(dotted == 1 ? "has" : "have") a label with the name up to the last dot"
                    + " (such as img.0.jpg with img.0.cls); WebDataset itself ends a name at the first dot"
            )
        }
        let dead = scans.flatMap(\.deadLinks)
        if !dead.isEmpty {
            notes.append(
                "skipped \(counted(dead.count, "link")) of archives: "
                    + listed(
                        dead.prefix(5).map { "\($0.name) \($0.reason)" }
                            + dead.dropFirst(5).map(\.name)
                    )
            )
        }
        let open = zip(shards, scans).filter { $1.lacksEnd && $1.problem == nil }.map(\.0.path)
        if !open.isEmpty {
            notes.append(
                "\(listed(open)) \(open.count == 1 ? "has" : "have") no end mark; all members are whole,"
                    + " but some may be missing if the file was cut short"
            )
        }
        return notes
    }

    /// One archive, open and scanned.
    private struct Scanned: Sendable {
        let file: OpenFile
        let isInflated: Bool
        let scan: ShardScan

        init(_ path: String) throws(DatasetError) {
            let plain = try DatasetError.of(OpenFile(path: path))
            let content = try DatasetError.of(plain.read(at: 0, count: 8))
            if let kind = PackedArchive.kind(content: content) {
                throw .unsupportedArchive(path: path, kind: kind)
            }
            isInflated = Gzip.begins(content)
            guard isInflated else {
                file = plain
                scan = ShardScan(plain, problem: nil)
                return
            }
            let inflated = try DatasetError.of(Gzip.inflateToFile(plain))
            file = inflated.file
            scan = ShardScan(inflated.file, problem: inflated.problem.map(DatasetError.init))
        }
    }

    /// An archive, opened if it is not open.
    func file(_ shard: Int) throws(StorageError) -> OpenFile {
        if let file = open[shard] { return file }
        return try OpenFile(path: shards[shard].path)
    }

    /// The name of an image in its archive.
    func name(of entry: Entry) -> String {
        let path = shards[Int(entry.shard)].path
        guard let file = try? file(Int(entry.shard)) else { return path }
        var reader = TarReader(file, at: entry.start)
        guard let member = try? reader.next() else { return path }
        return "\(path): \(String(validating: member.name, as: UTF8.self) ?? escaped(member.name))"
    }

    // MARK: - Sharing

    private struct Weak: Sendable {
        weak let index: ShardIndex?
    }

    private static let known = Mutex<[String: Weak]>([:])

    /// The index of archives, the same object for the same files while it is in use.
    static func shared(_ shards: [Shard]) throws(DatasetError) -> ShardIndex {
        let folder = parentFolder(shards.first?.path ?? "")
        let names = ClassFile.fileNames.map { fileStamp("\(folder)/\($0)") }
        let key =
            (names
            + shards.map { shard in
                "\(shard.path)\0\(shard.split?.rawValue ?? "")\0\(fileStamp(shard.path))"
            })
            .joined(separator: "\0")
        if let index = known.withLock({ $0[key]?.index }) { return index }
        let index = try ShardIndex(shards)
        known.withLock { known in
            known = known.filter { $0.value.index != nil }
            known[key] = Weak(index: index)
        }
        return index
    }
}
