import ImagePipeline
import Storage
import TorchNN
import VisionModels

/// A checkpoint that was understood but not loaded: all of the model but the numbers.
struct LoadPlan {
    /// Where the classifier comes from.
    enum Head {
        /// The file has it.
        case stored
        /// It keeps the values that it was made with.
        case fresh
        /// The model has none.
        case none
    }

    /// The way of positions to another grid.
    struct Positions {
        let resampling: LoadReport.Resampling
        let prefixTokens: Int
    }

    /// Images of another size than the positions are for, which the checkpoint's own library resamples on the way.
    struct OtherImages {
        let size: LoadOptions.ImageSize
        let resampling: PositionEmbeddingResampling
    }

    var description: ModelDescription
    let weights: WeightsFile

    /// What the checkpoint's processor makes, where that is not what the positions are for.
    var otherImages: OtherImages?
    var assumptions: [String] = []
    var notes: [String] = []
    var head = Head.stored
    var positions: Positions?

    init(_ description: ModelDescription, _ weights: WeightsFile) {
        self.description = description
        self.weights = weights
        self.notes = weights.notes
        self.assumptions = weights.assumptions
    }

    /// Applies the options of the classifier.
    mutating func settleHead(_ options: LoadOptions) throws(CheckpointError) {
        let replaces = options.relaxations.contains(.replaceHead)
        let hasHead = !weights.heads.isEmpty
        // What a fresh classifier, or one that is trained on, learns is up to whoever trains it.
        if replaces { (description.problemType, description.thresholds) = (nil, nil) }
        let isGone =
            options.relaxations.contains(.dropHead)
            || !hasHead && !replaces && options.relaxations.contains(.noHead)
        if isGone || !hasHead { readClassTokenAlone() }
        if isGone {
            head = .none
            description.labels = ClassLabels(placeholders: 0)
            description.configuration.numClasses = 0
            description.thresholds = nil
            return
        }
        guard let labels = options.labels else { return try checkClasses(replaces: replaces) }
        let old = description.labels
        guard labels.names.count == old.names.count || replaces else {
            throw CheckpointError.unsupported(
                file: weights.path,
                reason: "the model has \(old.names.count) classes, "
                    + "but the labels name \(labels.names.count)"
            )
        }
        // As many classes as before may still be other ones.
        if replaces, !old.arePlaceholders, labels.names != old.names { head = .fresh }
        if replaces, old.arePlaceholders, hasHead, labels.names.count == old.names.count {
            assumptions.append(
                "its \(old.names.count) unnamed classes are these, in the same order"
            )
        }
        description.labels = labels
        description.configuration.numClasses = labels.names.count
    }

    /// Without its classifier, a DINOv2's feature is the class token, as in DINOv2's own code.
    private mutating func readClassTokenAlone() {
        guard var vit = description.configuration.transformer, vit.globalPool == .tokenAvg else {
            return
        }
        (vit.globalPool, vit.headBlocks) = (.token, 1)
        description.configuration.transformer = vit
    }

    private func checkClasses(replaces: Bool) throws(CheckpointError) {
        guard description.configuration.numClasses == 0, !replaces || weights.heads.isEmpty else {
            return
        }
        throw CheckpointError.unsupported(
            file: weights.path,
            reason: "it has no classifier, only a backbone"
                + (replaces
                    ? ", and no class names for a new one were given"
                    : "; it can be used for features, or for training with a new classifier")
        )
    }

    /// Applies the requested image size.
    ///
    /// - Parameters:
    ///   - options: The caller's options.
    ///   - isGridKnown: Whether the checkpoint specifies its grid, and not only the number of positions.
    /// - Throws: `ConfigurationError` for a size that is no whole number of patches, ``CheckpointError`` for
    ///   positions that do not fit it.
    mutating func settleSize(_ options: LoadOptions, isGridKnown: Bool) throws {
        var options = options
        if let otherImages, options.imageSize == nil, !options.keepsStoredGrid {
            options.imageSize = otherImages.size
            options.positionResampling = options.positionResampling ?? otherImages.resampling
        }
        guard let size = options.imageSize else { return }
        let made = otherImages.map { (height: $0.size.height, width: $0.size.width) }
        let old = description.configuration.imageSize
        var configuration = description.configuration
        configuration.imageSize = (size.height, size.width)
        try configuration.validate()
        description.configuration = configuration
        if made ?? old != (size.height, size.width) {
            description.processor = try makeProcessor(file: weights.path) {
                () throws(ImageError) in
                try description.processor.resized(
                    from: made ?? old,
                    to: (size.height, size.width)
                )
            }
        }
        guard let vit = configuration.transformer else { return }
        let known = PatchGrid(height: old.height / vit.patchSize, width: old.width / vit.patchSize)
        try settlePositions(options, vit, knownGrid: isGridKnown ? known : nil)
    }

    private mutating func settlePositions(
        _ options: LoadOptions,
        _ vit: ViTConfiguration,
        knownGrid: PatchGrid?
    ) throws(CheckpointError) {
        // A misshapen embedding is reported with all other differences.
        guard let stored = weights.shape("pos_embed"), stored.count == 3 else { return }
        let count = stored[1] - vit.embeddedPrefixCount
        let new = vit.grid
        let from = knownGrid?.count == count ? knownGrid : PatchGrid.square(of: count)
        if from == new { return }
        if count == new.count, knownGrid?.count != count,
            from == nil || options.positionResampling == nil
        {
            assumptions.append(
                "position embeddings for \(new) patches, height first, from the image size"
            )
            return
        }
        guard let from, count > 0 else { throw otherGrid("\(count)", vit) }
        guard let variant = options.positionResampling else { throw otherGrid("\(from)", vit) }
        positions = Positions(
            resampling: .init(from: from, to: new, variant: variant),
            prefixTokens: vit.embeddedPrefixCount
        )
    }

    private func otherGrid(_ found: String, _ vit: ViTConfiguration) -> CheckpointError {
        let variants = PositionEmbeddingResampling.allCases.map(\.rawValue).joined(separator: ", ")
        return .incompatible(
            file: weights.path,
            missing: [],
            unexpected: [],
            shapes: [
                .init(
                    key: weights.entries[.init(key: "pos_embed")]?.name ?? "pos_embed",
                    expected: [1, vit.positionCount, vit.embedDim],
                    found: weights.shape("pos_embed") ?? []
                )
            ],
            hint: "The file has position embeddings for \(found) patches; images of "
                + "\(ImageSize(height: vit.imageHeight, width: vit.imageWidth)) have \(vit.grid); "
                + "request resampling by one of: \(variants)"
        )
    }

    /// Applies the options of preprocessing.
    mutating func settleImages(_ overrides: ImageOverrides) throws(ImageError) {
        guard !overrides.isEmpty else { return }
        let size = description.configuration.imageSize
        description.processor = try overrides.applied(
            to: description.processor,
            height: size.height,
            width: size.width
        )
    }
}
