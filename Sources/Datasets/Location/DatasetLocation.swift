import Foundation
public import ImagePipeline

/// A place that holds a data set in one of the layouts that are understood.
///
/// A folder may hold `train/CLASS/FILE` with `val/CLASS/FILE` (or `validation`, `valid`, `test`); lists `train.csv` and
/// `val.csv`, or one list with a column `split` (``ListDataset``); tar archives whose names say `train` and `val`, or in
/// folders `train` and `val` (``ShardDataset``); CIFAR's files (``CIFARDataset``); IDX files named as MNIST's
/// (``IDXDataset``). A list or an archive can be named itself.
///
/// Images that belong to no part (`CLASS/FILE`, a list without `split`, archives without such names) are all for
/// measuring, unless a share of them is held out: then that share is, and the others are to learn from. The same share is
/// taken from `train` where there is no `val`.
public struct DatasetLocation: Sendable, Equatable {
    /// The folder, list or archive.
    public let path: String
    /// How image files are decoded.
    public let options: DecodingOptions
    /// The share of the images that is held out for validation where the data has no such part; `nil` for none.
    public let valFraction: Double?
    /// The seed of the draw of that share.
    public let seed: UInt64
    /// How labels are written, where the data can be read in two ways.
    public let labelFormat: LabelFormat

    /// Checks that there is a data set.
    ///
    /// - Parameters:
    ///   - path: The folder, list or archive.
    ///   - options: How image files are decoded.
    ///   - valFraction: The share of each class that is held out for validation where the data has no such part,
    ///     between 0 and 1; `nil` for none.
    ///   - seed: The seed of the draw of that share.
    ///   - labels: How labels are written, where the data can be read in two ways.
    /// - Throws: ``DatasetError`` when there is nothing, or nothing that is understood.
    public init(
        path: String,
        options: DecodingOptions = DecodingOptions(),
        valFraction: Double? = nil,
        seed: UInt64 = 0,
        labels: LabelFormat = LabelFormat()
    ) throws(DatasetError) {
        guard !labels.separator.isEmpty else {
            throw .invalid("the separator of labels is empty; give a text such as |")
        }
        let isFolder = isFolder(path)
        guard isFolder || isList(path) || isArchive(path), fileExists(path) else {
            throw fileExists(path) ? PackedArchive.error(path: path) : .missing(path: path)
        }
        if let valFraction { try Subset.checkFraction(valFraction) }
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        self.options = options
        self.valFraction = valFraction
        self.seed = seed
        labelFormat = labels
    }

    /// What is there.
    func layout() throws(DatasetError) -> DatasetLayout {
        try DatasetLayout(path: path, labels: labelFormat)
    }

    /// Opens a part of the data.
    ///
    /// - Parameters:
    ///   - split: The part.
    ///   - limit: How many images to use, `nil` for all.
    /// - Returns: The images.
    /// - Throws: ``DatasetError`` when the part is missing, empty or damaged.
    public func open(
        _ split: DatasetSplit,
        limit: DatasetLimit? = nil
    ) throws(DatasetError) -> any ImageDataset {
        try limited(try openWhole(split, of: layout()), limit)
    }

    /// Opens the training and the validation part and checks that they have the same classes.
    ///
    /// - Parameters:
    ///   - trainLimit: How many training images to use, `nil` for all.
    ///   - validationLimit: How many validation images to use, `nil` for all.
    /// - Returns: The images of both parts.
    /// - Throws: ``DatasetError`` when a part is missing, empty or damaged, or the classes differ.
    public func openBoth(
        trainLimit: DatasetLimit? = nil,
        validationLimit: DatasetLimit? = nil
    ) throws(DatasetError) -> (train: any ImageDataset, validation: any ImageDataset) {
        let layout = try self.layout()
        let train: any ImageDataset
        var validation: any ImageDataset
        if let (base, fraction) = try heldOutBase(of: layout) {
            let parts = try Subset.split(base, holdingOut: fraction, seed: seed)
            let share = String(format: "%g", 100 * fraction)
            train = Annotated(
                parts.train,
                notes: [
                    "\(path) has no validation split: \(parts.validation.count) of \(counted(base.count, "image")), "
                        + "\(share) % of each class, \(parts.validation.count == 1 ? "is" : "are") held out"
                ]
            )
            validation = parts.validation
        } else {
            train = try openWhole(.train, of: layout)
            validation = try openWhole(.validation, of: layout)
        }
        guard ClassNames.areSame(train.classNames, validation.classNames) else {
            let trained = Set(train.classNames)
            let validated = Set(validation.classNames)
            throw .classesDiffer(
                onlyInTraining: train.classNames.filter { !validated.contains($0) },
                onlyInValidation: validation.classNames.filter { !trained.contains($0) }
            )
        }
        validation = Relabelled.ordered(validation, as: train.classNames)
        return (
            Self.annotated(try limited(train, trainLimit), against: (train, validation)),
            try limited(validation, validationLimit)
        )
    }

    /// Whether images are held out: a fraction is set and the data has no validation split.
    ///
    /// - Returns: Whether it is.
    /// - Throws: ``DatasetError`` when the data is nothing that is understood.
    public func holdsOutAShare() throws(DatasetError) -> Bool {
        guard valFraction != nil else { return false }
        let layout = try self.layout()
        return layout.validation == nil && (layout.train ?? layout.whole) != nil
    }

    /// Opens what a share is held out of, as both parts.
    ///
    /// - Returns: The images to learn from and those held out; nil where no share is held out.
    /// - Throws: ``DatasetError`` when the data is empty or damaged, or the share leaves a part empty.
    public func openHeldOut() throws(DatasetError) -> (train: Subset, validation: Subset)? {
        guard let (base, fraction) = try heldOutBase(of: layout()) else {
            return nil
        }
        return try Subset.split(base, holdingOut: fraction, seed: seed)
    }

    /// The images that a share is held out of, where that is done.
    private func heldOutBase(
        of layout: DatasetLayout
    ) throws(DatasetError) -> (base: any ImageDataset, fraction: Double)? {
        guard let valFraction, layout.validation == nil, let base = layout.train ?? layout.whole
        else {
            return nil
        }
        return (try layout.open(base, options), valFraction)
    }

    private func openWhole(
        _ split: DatasetSplit,
        of layout: DatasetLayout
    ) throws(DatasetError) -> any ImageDataset {
        if let (base, fraction) = try heldOutBase(of: layout) {
            let parts = try Subset.split(base, holdingOut: fraction, seed: seed)
            return split == .train ? parts.train : parts.validation
        }
        guard !layout.isEmpty else { throw Self.nothingFound(in: path) }
        let source = split == .train ? layout.train : layout.validation ?? layout.whole
        guard let source else { throw .missingSplit(path: path, split: split) }
        return try layout.open(source, options)
    }

    /// Why a folder without a part or a class cannot be used.
    static func nothingFound(in path: String) -> DatasetError {
        let entries = (try? listFolder(path).entries) ?? []
        let hasImages = entries.contains { $0.kind == .file && isImage($0.name) }
        return hasImages ? .noClasses(path: path) : .noImages(path: path)
    }

    /// Takes some of the images only.
    ///
    /// - Parameters:
    ///   - whole: The images.
    ///   - limit: How many to take, `nil` for all.
    /// - Returns: Those taken.
    /// - Throws: ``DatasetError`` when there are fewer.
    package func limited(
        _ whole: any ImageDataset,
        _ limit: DatasetLimit?
    ) throws(DatasetError) -> any ImageDataset {
        switch limit {
        case nil: return whole
        case .first(let count): return try Subset(of: whole, first: count)
        case .stratified(let count, let seed):
            return try Subset(of: whole, stratified: count, seed: seed)
        }
    }

    /// Tells with the training part which classes have no image in it.
    private static func annotated(
        _ train: any ImageDataset,
        against whole: (train: any ImageDataset, validation: any ImageDataset)
    ) -> any ImageDataset {
        func labels(_ dataset: any ImageDataset) -> Set<Int> {
            (0..<dataset.count).reduce(into: []) { $0.formUnion(dataset.labels(at: $1)) }
        }
        let unseen = labels(whole.validation).subtracting(labels(whole.train)).sorted()
        guard !unseen.isEmpty else { return train }
        let names = listed(unseen.map { train.classNames[$0] })
        return Annotated(
            train,
            notes: ["classes with validation images but no training images: \(names)"]
        )
    }
}
