import ImagePipeline

/// What a check of a data set found.
public struct DataReport: Sendable {
    /// A part of the data.
    public struct Part: Sendable {
        /// What it is called: `train`, `val`, or `all` where the data has no parts.
        public let name: String
        /// The images.
        public let dataset: any ImageDataset
        /// How many images of each class there are, in the order of ``DataReport/classNames``.
        public let classCounts: [Int]
    }

    /// The parts, in the order in which findings name them.
    public let parts: [Part]
    /// The classes of all parts together.
    public let classNames: [String]
    /// What was found, the worst first, then in the order of the data.
    public private(set) var findings: [Finding]
    /// What was noticed and does no harm, one sentence each.
    public let notes: [String]
    /// How many images there are of each format; those without a format of their own are `samples`.
    public let formats: [(name: String, count: Int)]
    /// The smallest and the largest width and height of the images that could be decoded; nil for none.
    public let sizes: (width: ClosedRange<Int>, height: ClosedRange<Int>)?

    private let classPlaces: [[Int]]

    init(survey: DatasetSurvey, facts: [ImageFacts], findings: [Finding]) {
        parts = survey.datasets.indices.map { part in
            let dataset = survey.datasets[part]
            var counts = [Int](repeating: 0, count: survey.classNames.count)
            for index in 0..<dataset.count {
                for label in survey.labels(of: Finding.Item(part: part, index: index)) {
                    counts[label] += 1
                }
            }
            return Part(name: survey.names[part], dataset: dataset, classCounts: counts)
        }
        classNames = survey.classNames
        classPlaces = survey.classPlaces
        notes = survey.notes
        let names = facts.filter(\.isDecoded).map { $0.format?.name ?? "samples" }
        formats = Dictionary(grouping: names) { $0 }.map { ($0.key, $0.value.count) }
            .sorted { ($1.1, $0.0) < ($0.1, $1.0) }
        let decoded = facts.filter(\.isDecoded)
        if let first = decoded.first {
            sizes = decoded.reduce(
                into: (Int(first.width)...Int(first.width), Int(first.height)...Int(first.height))
            ) { sizes, image in
                sizes.0 = sizes.0.extended(to: Int(image.width))
                sizes.1 = sizes.1.extended(to: Int(image.height))
            }
        } else {
            sizes = nil
        }
        self.findings = findings
        sort()
    }

    /// The number of images of all parts.
    public var count: Int { parts.reduce(0) { $0 + $1.dataset.count } }

    /// Whether something was found that cannot be used or makes measurements wrong.
    public var hasErrors: Bool { findings.contains { $0.kind.severity == .error } }

    /// The findings of a kind.
    ///
    /// - Parameter kind: The kind.
    /// - Returns: The findings, in the order of the data.
    public func findings(of kind: FindingKind) -> [Finding] { findings.filter { $0.kind == kind } }

    /// The name of an image's file, or its place within one.
    ///
    /// - Parameter image: The image.
    /// - Returns: The name.
    public func name(of image: Finding.Item) -> String {
        parts[image.part].dataset.name(at: image.index)
    }

    /// The name of an image's class.
    ///
    /// - Parameter image: The image.
    /// - Returns: The name.
    public func className(of image: Finding.Item) -> String {
        parts[image.part].dataset.className(at: image.index)
    }

    /// Whether images may have several labels, or none.
    public var isMultiLabel: Bool { parts.contains { $0.dataset.isMultiLabel } }

    /// The labels of an image, in the classes of all parts.
    func labels(of image: Finding.Item) -> [Int] {
        parts[image.part].dataset.labels(at: image.index).map { classPlaces[image.part][$0] }
    }

    /// Adds findings from elsewhere, such as label suspects.
    ///
    /// - Parameter more: The findings; their images are of ``parts``.
    public mutating func add(_ more: [Finding]) {
        findings += more
        sort()
    }

    private mutating func sort() {
        let rank = Dictionary(
            uniqueKeysWithValues: FindingKind.allCases.enumerated().map { ($1, $0) }
        )
        // Sorting keeps the order of equals, so that suspects stay ranked and layouts as they were met.
        let ranked = findings.enumerated().sorted { left, right in
            let (one, other) = (rank[left.element.kind] ?? 0, rank[right.element.kind] ?? 0)
            return (one, left.offset) < (other, right.offset)
        }
        findings = ranked.map(\.element)
    }
}

extension ClosedRange<Int> {
    fileprivate func extended(to value: Int) -> ClosedRange<Int> {
        Swift.min(lowerBound, value)...Swift.max(upperBound, value)
    }
}
