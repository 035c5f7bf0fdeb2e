public import ImagePipeline

/// A folder that holds a data set in one of the layouts that are understood.
///
/// They are `train/CLASS/FILE` with `val/CLASS/FILE` (or `validation`, `valid`, `test`); IDX files named as
/// MNIST's; and, for measuring only, `CLASS/FILE`.
public struct DatasetLocation: Sendable, Equatable {
    /// The folder.
    public let path: String
    /// How picture files are decoded.
    public let options: DecodingOptions

    /// Checks that there is a folder.
    ///
    /// - Parameters:
    ///   - path: The folder.
    ///   - options: How picture files are decoded.
    /// - Throws: ``DatasetError`` when there is none.
    public init(path: String, options: DecodingOptions = DecodingOptions()) throws(DatasetError) {
        guard isFolder(path) else {
            throw fileExists(path) ? .notAFolder(path: path) : .missing(path: path)
        }
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        self.options = options
    }

    /// Opens a part of the data.
    ///
    /// - Parameters:
    ///   - split: The part.
    ///   - limit: How many pictures to use, `nil` for all.
    /// - Returns: The pictures.
    /// - Throws: ``DatasetError`` when the part is missing, empty or damaged.
    public func open(
        _ split: DatasetSplit,
        limit: DatasetLimit? = nil
    ) throws(DatasetError) -> any ImageDataset {
        let whole = try openWhole(split)
        switch limit {
        case nil: return whole
        case .first(let count): return try Subset(of: whole, first: count)
        case .stratified(let count, let seed):
            return try Subset(of: whole, stratified: count, seed: seed)
        }
    }

    /// Opens the training and the validation part and checks that they have the same classes.
    ///
    /// - Parameters:
    ///   - trainLimit: How many training pictures to use, `nil` for all.
    ///   - validationLimit: How many validation pictures to use, `nil` for all.
    /// - Returns: The pictures of both parts.
    /// - Throws: ``DatasetError`` when a part is missing, empty or damaged, or the classes differ.
    public func openBoth(
        trainLimit: DatasetLimit? = nil,
        validationLimit: DatasetLimit? = nil
    ) throws(DatasetError) -> (train: any ImageDataset, validation: any ImageDataset) {
        let train = try open(.train, limit: trainLimit)
        let validation = try open(.validation, limit: validationLimit)
        guard train.classNames == validation.classNames else {
            let trained = Set(train.classNames)
            let validated = Set(validation.classNames)
            throw .classesDiffer(
                onlyInTraining: train.classNames.filter { !validated.contains($0) },
                onlyInValidation: validation.classNames.filter { !trained.contains($0) }
            )
        }
        return (train, validation)
    }

    private func openWhole(_ split: DatasetSplit) throws(DatasetError) -> any ImageDataset {
        let entries = try listFolder(path)
        let folders = entries.filter(\.isFolder)
        for name in split.folderNames {
            if let folder = folders.first(where: { $0.name == name }) {
                return try ImageFolder(path: folder.path, options: options)
            }
        }
        let files = Set(entries.filter { !$0.isFolder }.map(\.name))
        if let images = idxFile(split.filePrefix + "-images", "idx3-ubyte", in: files) {
            guard let labels = idxFile(split.filePrefix + "-labels", "idx1-ubyte", in: files) else {
                throw .missing(path: "\(path)/\(split.filePrefix)-labels-idx1-ubyte")
            }
            return try IDXDataset(images: "\(path)/\(images)", labels: "\(path)/\(labels)")
        }
        let allNames = Set(DatasetSplit.allCases.flatMap(\.folderNames))
        let isPlain = !folders.isEmpty && folders.allSatisfy { !allNames.contains($0.name) }
        guard split == .validation, isPlain else {
            let hasNothing = folders.isEmpty && !files.contains { $0.contains("-ubyte") }
            throw hasNothing ? .noPictures(path: path) : .missingSplit(path: path, split: split)
        }
        return try ImageFolder(path: path, options: options)
    }

    /// The name of an IDX file in any of the spellings in use.
    private func idxFile(_ start: String, _ end: String, in files: Set<String>) -> String? {
        ["-", "."].flatMap { ["\(start)\($0)\(end)", "\(start)\($0)\(end).gz"] }
            .first { files.contains($0) }
    }
}
