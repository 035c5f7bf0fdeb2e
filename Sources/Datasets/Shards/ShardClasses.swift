import ImagePipeline

/// The combined classes and splits of a set of archives.
struct ShardClasses {
    /// What a label of an archive means.
    struct Target {
        let labels: [Int32]
        let split: DatasetSplit?
    }

    /// Whether an image may have several labels or none: a sample has a list of them.
    let isMultiLabel: Bool
    private(set) var names: [String] = []
    /// For each archive, for each of its labels, what it means; nil for images that are left out.
    private(set) var targets: [[Target?]] = []
    private(set) var problems: [DatasetError] = []
    private(set) var notes: [String] = []

    /// No data set has as many classes; a larger label is a mistake.
    private static let labelLimit = 1_000_000

    /// - Parameters:
    ///   - scans: What was found in each archive.
    ///   - shards: The archives, as many.
    /// - Throws: ``DatasetError`` when a file of class names contradicts the labels.
    init(_ scans: [ShardScan], _ shards: [ShardIndex.Shard]) throws(DatasetError) {
        let all = Set(scans.flatMap(\.labels).flatMap(\.parts))
        isMultiLabel = scans.contains {
            $0.labels.contains { if case .several = $0 { true } else { false } }
        }
        let (hasNumbers, hasNames) = all.reduce(into: (false, false)) { found, label in
            if case .number = label { found.0 = true }
            if case .name = label { found.1 = true }
        }
        guard hasNumbers || hasNames else {
            try setFolders(scans, shards)
            return
        }
        guard !(hasNumbers && hasNames), let first = shards.first else {
            throw .malformed(
                path: shards.map(\.path).first ?? "",
                detail: "some of its labels are numbers and some are names"
            )
        }
        if hasNumbers {
            try setNumbers(all, near: first.path)
        } else {
            names = ClassNames.distinct(
                all.compactMap {
                    if case .name(let name) = $0 { name } else { nil }
                }
            )
        }
        setLabels(scans, shards)
    }

    /// Labels next to the images.
    private mutating func setLabels(_ scans: [ShardScan], _ shards: [ShardIndex.Shard]) {
        let places = ClassNames.places(names).mapValues(Int32.init)
        func index(of label: ShardLabel) -> Int32? {
            switch label {
            case .number(let number): Int32(number)
            case .name(let name): places[name]
            case .folder, .several: nil
            }
        }
        for (scan, shard) in zip(scans, shards) {
            var unlabelled: Set<Int32> = []
            targets.append(
                scan.labels.enumerated().map { place, label in
                    switch label {
                    case .number, .name:
                        index(of: label).map { Target(labels: [$0], split: shard.split) }
                    case .several(let parts):
                        Target(labels: parts.compactMap(index), split: shard.split)
                    case .folder:
                        { () -> Target? in
                            unlabelled.insert(Int32(place))
                            return nil
                        }()
                    }
                }
            )
            let count = scan.images.count { unlabelled.contains($0.label) }
            guard count > 0 else { continue }
            problems.append(
                .malformed(
                    path: shard.path,
                    detail:
                        "\(count) of its images \(count == 1 ? "has" : "have") no label (.cls or .json)"
                )
            )
        }
    }

    private mutating func setNumbers(
        _ labels: Set<ShardLabel>,
        near path: String
    ) throws(DatasetError) {
        let numbers = labels.compactMap { if case .number(let number) = $0 { number } else { nil } }
        let (lowest, highest) = (numbers.min() ?? 0, numbers.max() ?? 0)
        guard lowest >= 0, highest < Self.labelLimit else {
            throw .malformed(
                path: path,
                detail:
                    "it has the label \(lowest < 0 ? lowest : highest); labels are class numbers from 0"
            )
        }
        guard let listed = try ClassFile.names(in: parentFolder(path)) else {
            names = (0...highest).map(String.init)
            return
        }
        guard highest < listed.names.count else {
            throw .malformed(
                path: path,
                detail:
                    "it has the label \(highest), but \(listed.path) has \(listed.names.count) classes, from 0"
            )
        }
        names = listed.names
    }

    /// Images in folders: `CLASS/FILE`, or `train/CLASS/FILE` with another part, under any common folder.
    private mutating func setFolders(
        _ scans: [ShardScan],
        _ shards: [ShardIndex.Shard]
    ) throws(DatasetError) {
        let folders = try ShardFolders(
            scans.flatMap(\.labels).compactMap {
                if case .folder(let path) = $0 { path } else { nil }
            },
            in: shards.first?.path ?? ""
        )
        names = folders.classNames
        notes = folders.notes
        for (scan, shard) in zip(scans, shards) {
            var withoutClass: Set<Int32> = []
            var own: [Target?] = []
            for (place, label) in scan.labels.enumerated() {
                guard case .folder(let path) = label, let meaning = folders.meanings[path] else {
                    own.append(nil)
                    continue
                }
                if meaning == .noClass { withoutClass.insert(Int32(place)) }
                guard case .image(let label, let split) = meaning else {
                    own.append(nil)
                    continue
                }
                own.append(Target(labels: [label], split: shard.split ?? split))
            }
            targets.append(own)
            let count = scan.images.count { withoutClass.contains($0.label) }
            guard count > 0 else { continue }
            problems.append(
                .malformed(
                    path: shard.path,
                    detail: "\(count) of its images \(count == 1 ? "has" : "have")"
                        + " neither a label (.cls or .json) nor the folder of a class"
                )
            )
        }
    }
}

extension ShardLabel {
    /// The labels of a list, or the one label.
    fileprivate var parts: [ShardLabel] {
        if case .several(let parts) = self { parts } else { [self] }
    }
}

/// What the folders in archives mean.
struct ShardFolders {
    enum Meaning: Equatable {
        case image(Int32, DatasetSplit?)
        /// Images that belong to no class.
        case noClass
        /// A part that is not used next to a better one, or a folder next to the parts.
        case unused
    }

    let classNames: [String]
    let meanings: [String: Meaning]
    let notes: [String]

    /// - Parameters:
    ///   - paths: The folders of images.
    ///   - archive: Where they are, for the error.
    /// - Throws: ``DatasetError/ambiguousSplit(path:split:names:)`` when two folders mean the same split.
    init(_ paths: [String], in archive: String) throws(DatasetError) {
        var parts = Dictionary(paths.map { ($0, pathComponents($0)) }) { first, _ in first }
        // A common folder around everything says nothing, such as `cifar10/` before `train/`.
        while let first = parts.values.first?.first, DatasetSplit(name: first) == nil,
            parts.values.allSatisfy({ $0.count > 1 && $0[0] == first })
        {
            parts = parts.mapValues { Array($0.dropFirst()) }
        }
        let tops = Set(parts.values.compactMap(\.first))
        let used = try SplitNames(tops, in: archive).used.map(\.name)
        let hasParts = !used.isEmpty
        var classOf: [String: (name: String, split: DatasetSplit?)] = [:]
        var meanings: [String: Meaning] = [:]
        for (path, parts) in parts {
            let isUsed = !hasParts || parts.first.map(used.contains) ?? false
            let rest = hasParts ? parts.dropFirst() : parts[...]
            if !isUsed {
                meanings[path] = .unused
            } else if let name = rest.first {
                classOf[path] = (name, hasParts ? DatasetSplit(name: parts[0]) : nil)
            } else {
                meanings[path] = .noClass
            }
        }
        let names = ClassNames.distinct(classOf.values.map(\.name))
        let places = ClassNames.places(names).mapValues(Int32.init)
        for (path, (name, split)) in classOf {
            meanings[path] = .image(places[name] ?? 0, split)
        }
        let left = Set(parts.filter { meanings[$0.key] == .unused }.map { $0.value.first ?? "" })
        classNames = names
        self.meanings = meanings
        notes =
            left.isEmpty
            ? []
            : [
                "skipped folders of the archive that are not part of a split: \(listed(left.sorted()))"
            ]
    }
}
