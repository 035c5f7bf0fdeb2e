import ImagePipeline

/// All parts of a data set, opened in spite of what is wrong with them.
struct DatasetSurvey: Sendable {
    private(set) var names: [String] = []
    private(set) var datasets: [any ImageDataset] = []
    /// What is wrong with the data as a whole.
    private(set) var findings: [Finding] = []
    /// What was noticed and does no harm.
    private(set) var notes: [String] = []
    /// The classes of all parts together, in order.
    private(set) var classNames: [String] = []
    /// For each part the place of its classes among all.
    private(set) var classPlaces: [[Int]] = []

    init(_ location: DatasetLocation) throws(DatasetError) {
        let layout = try location.layout()
        notes = layout.notes
        for (name, source) in [
            ("train", layout.train), ("val", layout.validation), ("all", layout.whole),
        ] {
            guard let source else { continue }
            let opened = source.openLeniently(location.options)
            findings += opened.findings
            guard let dataset = opened.dataset, dataset.count > 0 else { continue }
            names.append(name)
            datasets.append(dataset)
            for note in dataset.notes where !notes.contains(note) { notes.append(note) }
        }
        guard !datasets.isEmpty || !findings.isEmpty else {
            throw DatasetLocation.nothingFound(in: location.path)
        }
        // The same for two parts of one list or archive.
        var seen: [Finding] = []
        for finding in findings where !seen.contains(finding) { seen.append(finding) }
        findings = seen
        putClassesTogether()
    }

    private mutating func putClassesTogether() {
        let first = datasets.first?.classNames ?? []
        let isCommon = datasets.allSatisfy { ClassNames.areSame($0.classNames, first) }
        // A set's own order, such as that of numbers, is kept where all parts share it.
        classNames = isCommon ? first : ClassNames.distinct(datasets.flatMap(\.classNames))
        let places = ClassNames.places(classNames)
        classPlaces = datasets.map { $0.classNames.map { places[$0] ?? 0 } }
        guard !isCommon, datasets.count == 2 else { return }
        let (train, validation) = (datasets[0].classNames, datasets[1].classNames)
        let error = DatasetError.classesDiffer(
            onlyInTraining: train.filter { !Set(validation).contains($0) },
            onlyInValidation: validation.filter { !Set(train).contains($0) }
        )
        findings.append(Finding(kind: .layout, detail: "\(error)"))
    }

    /// The labels of an image, as places among all classes.
    func labels(of image: Finding.Item) -> [Int] {
        datasets[image.part].labels(at: image.index).map { classPlaces[image.part][$0] }
    }
}

extension DatasetSource {
    /// Opens a part in spite of what is wrong with it.
    fileprivate func openLeniently(
        _ options: DecodingOptions
    ) -> (dataset: (any ImageDataset)?, findings: [Finding]) {
        func layout(_ problems: [DatasetError]) -> [Finding] {
            problems.map { Finding(kind: .layout, detail: "\($0)") }
        }
        do throws(DatasetError) {
            switch self {
            case .folder(let path, let lists, let format):
                return try Self.openFolder(path, lists: lists, format, options)
            case .list(let list, _, let split):
                return (ListDataset(list, split: split, options: options), layout(list.problems))
            case .shards(let index, _, let split):
                return (ShardDataset(index, split: split, options: options), layout(index.problems))
            case .cifar, .idx:
                return (try open(options), [])
            }
        } catch {
            return (nil, layout([error]))
        }
    }

    private static func openFolder(
        _ path: String,
        lists: [String],
        _ format: LabelFormat,
        _ options: DecodingOptions
    ) throws(DatasetError) -> (dataset: (any ImageDataset)?, findings: [Finding]) {
        let scan = try FolderScan(path: path)
        let folder = ImageFolder(scan, path: path, labels: format, options: options)
        var findings = scan.oddNames.map {
            Finding(kind: .layout, detail: "the name of \($0) is not UTF-8; rename the file")
        }
        if !scan.sameNames.isEmpty {
            let error = DatasetError.sameClassNames(path: path, names: scan.sameNames)
            findings.append(Finding(kind: .layout, detail: "\(error)"))
        }
        findings += scan.emptyClasses.map {
            Finding(kind: .emptyClass, detail: "\($0) in \(path) has no images")
        }
        for list in lists {
            do throws(DatasetError) {
                _ = try ListAgreement.check(
                    ImageList([.init(path: list)], format),
                    path: list,
                    against: folder
                )
            } catch {
                findings.append(Finding(kind: .layout, detail: "\(error)"))
            }
        }
        return (folder, findings)
    }
}
