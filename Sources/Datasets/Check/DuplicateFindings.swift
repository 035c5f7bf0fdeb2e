import ImagePipeline

/// What equal and similar images mean: in which parts and classes they are.
struct DuplicateFindings {
    private(set) var findings: [Finding] = []

    init(_ facts: [ImageFacts], _ store: ThumbnailStore, _ datasets: [any ImageDataset]) {
        let places = ImagePlaces(datasets)
        let search = DuplicateSearch(facts: facts, store: store) { one, other in
            guard let left = places.content(of: one) else { return false }
            return left == places.content(of: other)
        }
        let groups = search.run()
        var copies: [Int: [Int]] = [:]
        for group in groups.equal {
            copies[group[0]] = group
            add(group, of: group, places, .leak, .conflict, .duplicate, "equal byte for byte")
        }
        for group in groups.alike {
            // Only one of equal images stands in the group, and the others may be elsewhere.
            let whole = group.flatMap { copies[$0] ?? [$0] }
            add(
                group,
                of: whole,
                places,
                .nearLeak,
                .nearConflict,
                .nearDuplicate,
                "nearly the same image"
            )
        }
    }

    /// Tells of a group; its kind depends on where it and its copies are.
    private mutating func add(
        _ group: [Int],
        of whole: [Int],
        _ places: ImagePlaces,
        _ leak: FindingKind,
        _ conflict: FindingKind,
        _ same: FindingKind,
        _ words: String
    ) {
        let images = group.map(places.item)
        let classes = Set(whole.map { places.className(places.item($0)) })
        let parts = Set(whole.map { places.item($0).part })
        // Two labels for one image is the worse of the two, and the cleaned list then keeps none of them.
        let kind = classes.count > 1 ? conflict : parts.count > 1 ? leak : same
        let among =
            classes.count > 1 ? ", in the classes \(listed(classes.sorted(by: precedes)))" : ""
        findings.append(
            Finding(
                kind: kind,
                images: images,
                detail: "\(counted(group.count, "file")) are \(words)\(among)"
            )
        )
    }
}

/// The images of all parts in one row.
struct ImagePlaces {
    private let datasets: [any ImageDataset]
    private let starts: [Int]

    init(_ datasets: [any ImageDataset]) {
        self.datasets = datasets
        starts = datasets.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.count) }
    }

    func item(_ place: Int) -> Finding.Item {
        let part = max(0, (starts.firstIndex { $0 > place } ?? starts.count) - 1)
        return Finding.Item(part: part, index: place - starts[part])
    }

    func place(_ image: Finding.Item) -> Int { starts[image.part] + image.index }

    func className(_ image: Finding.Item) -> String {
        datasets[image.part].className(at: image.index)
    }

    /// The bytes of an image's file, or its samples where it has none; nil where they are gone.
    func content(of place: Int) -> [UInt8]? {
        let item = item(place)
        let dataset = datasets[item.part]
        do throws(ImageError) {
            if let bytes = try dataset.fileBytes(at: item.index) { return bytes }
            return try dataset.image(at: item.index).pixels
        } catch {
            return nil
        }
    }
}
