extension LabelledFeatures {
    /// The same features, with every image of a class once.
    ///
    /// - Returns: The features without repeats; the first of equal images stays.
    public func withoutRepeats() -> LabelledFeatures {
        var none = LabelledFeatures(values: [], width: width, labels: [], classNames: classNames)
        none.values.reserveCapacity(values.count)
        return none.merged(with: self).all
    }

    /// These features and others, without images that are here already in the same class.
    ///
    /// An image is recognised by its digest; where one has none, by its name and features.
    ///
    /// - Returns: All features, how many the others added, and how many of those are here in another class too.
    func merged(
        with more: LabelledFeatures
    ) -> (all: LabelledFeatures, added: Int, relabelled: Int) {
        var all = self
        // One entry for each image from here on: what is not known is an empty text.
        if all.digests.isEmpty { all.digests = labels.map { _ in "" } }
        let hasNames = !names.isEmpty || (labels.isEmpty && !more.names.isEmpty)
        var classes = Dictionary(
            classNames.enumerated().map { ($1, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        var known = KnownImages()
        for index in labels.indices { known.insert(all, index) }
        var (added, relabelled) = (0, 0)
        for index in more.labels.indices {
            let className = more.classNames[more.labels[index]]
            let label = classes[className] ?? all.classNames.count
            if known.contains(more, index, as: label, among: all) { continue }
            if known.isElsewhere(more, index, as: label) { relabelled += 1 }
            if classes[className] == nil {
                classes[className] = label
                all.classNames.append(className)
            }
            all.values += more.vector(index)
            all.labels.append(label)
            if hasNames { all.names.append(index < more.names.count ? more.names[index] : "") }
            all.digests.append(more.digest(at: index) ?? "")
            known.insert(all, all.labels.count - 1)
            added += 1
        }
        if all.digests.allSatisfy(\.isEmpty) { all.digests = [] }
        return (all, added, relabelled)
    }

    fileprivate func vector(_ index: Int) -> ArraySlice<Float> {
        values[(index * width)..<((index + 1) * width)]
    }
}

/// The images of some features, found by their content.
private struct KnownImages {
    private struct Name: Hashable {
        let label: Int
        let name: String
    }

    private var classes: [String: Set<Int>] = [:]
    private var places: [Name: [Int]] = [:]

    mutating func insert(_ features: LabelledFeatures, _ index: Int) {
        if let digest = features.digest(at: index) {
            classes[digest, default: []].insert(features.labels[index])
        }
        guard index < features.names.count else { return }
        let name = Name(label: features.labels[index], name: features.names[index])
        places[name, default: []].append(index)
    }

    /// Whether an image of other features is among these in a class.
    func contains(
        _ more: LabelledFeatures,
        _ index: Int,
        as label: Int,
        among all: LabelledFeatures
    ) -> Bool {
        let digest = more.digest(at: index)
        if let digest, classes[digest]?.contains(label) == true { return true }
        guard index < more.names.count else { return false }
        return (places[Name(label: label, name: more.names[index])] ?? []).contains { place in
            // Two digests that differ are two images, however alike the model finds them.
            (digest == nil || all.digest(at: place) == nil)
                && all.vector(place) == more.vector(index)
        }
    }

    /// Whether an image is here in another class.
    func isElsewhere(_ more: LabelledFeatures, _ index: Int, as label: Int) -> Bool {
        more.digest(at: index).flatMap { classes[$0] }?.contains { $0 != label } ?? false
    }
}
