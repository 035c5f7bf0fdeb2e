import ImagePipeline

extension DatasetLocation {
    /// Opens images to learn from without labels, and a part to measure by where there are labels.
    ///
    /// Besides the layouts with labels this is any folder of images, however they lie in it. Of images that belong to
    /// no part all are taken, less the share that is held out; labels that are there stay with the images.
    ///
    /// - Parameters:
    ///   - trainLimit: How many images to learn from, `nil` for all.
    ///   - validationLimit: How many images to measure by, `nil` for all.
    /// - Returns: The images to learn from; and those to measure by, `nil` where there are none with the same two
    ///   classes or more, one for an image.
    /// - Throws: ``DatasetError`` when there are no images, or a part is damaged.
    public func openUnlabelled(
        trainLimit: DatasetLimit? = nil,
        validationLimit: DatasetLimit? = nil
    ) throws(DatasetError) -> (train: any ImageDataset, validation: (any ImageDataset)?) {
        let layout = try self.layout()
        guard let source = layout.train ?? layout.whole else {
            guard layout.isEmpty else { throw .missingSplit(path: path, split: .train) }
            return (try limited(unlabelled(path), trainLimit), nil)
        }
        var train = try images(of: source)
        if !layout.notes.isEmpty { train = Annotated(train, notes: layout.notes) }
        var validation: (any ImageDataset)?
        if let part = layout.validation {
            validation = try images(of: part)
        } else if let valFraction, train.classNames.count > 1 {
            let parts = try Subset.split(train, holdingOut: valFraction, seed: seed)
            (train, validation) = (parts.train, parts.validation)
        }
        train = try limited(train, trainLimit)
        guard let found = validation, ClassNames.areSame(found.classNames, train.classNames),
            train.classNames.count > 1, !train.isMultiLabel, !found.isMultiLabel
        else { return (train, nil) }
        let ordered = Relabelled.ordered(found, as: train.classNames)
        return (train, try limited(ordered, validationLimit))
    }

    /// Opens a part, as images without classes where it is a folder that has none.
    private func images(of source: DatasetSource) throws(DatasetError) -> any ImageDataset {
        guard case .folder(let folder, _, _) = source else { return try source.open(options) }
        let contents = try listFolder(folder)
        let hasLooseImages = contents.entries.contains { $0.kind == .file && isImage($0.name) }
        if hasLooseImages { return try unlabelled(folder) }
        do throws(DatasetError) {
            return try source.open(options)
        } catch {
            switch error {
            case .noImages, .emptyClasses, .sameClassNames: return try unlabelled(folder)
            default: throw error
            }
        }
    }

    /// All images below a folder, of one class.
    private func unlabelled(_ folder: String) throws(DatasetError) -> any ImageDataset {
        let scan = try FolderScan(unlabelled: folder)
        guard scan.oddNames.isEmpty else { throw .namesNotUTF8(scan.oddNames) }
        guard !scan.files.isEmpty else { throw .noImages(path: folder) }
        return ImageFolder(scan, path: folder, options: options)
    }
}

extension FolderScan {
    /// Walks through a folder and those in it, whose images are all of one class.
    ///
    /// - Parameter path: The folder.
    /// - Throws: ``DatasetError`` when a folder cannot be listed.
    init(unlabelled path: String) throws(DatasetError) {
        var walk = FolderWalk(above: path)
        guard let id = FolderID(path) else { throw .missing(path: path) }
        try walk.visit(path, id)
        self.init()
        classNames = ["unlabelled"]
        files = walk.files
        labels = Array(repeating: 0, count: files.count)
        (oddNames, deadLinks, loops) = (walk.oddNames, walk.deadLinks, walk.loops)
    }
}
