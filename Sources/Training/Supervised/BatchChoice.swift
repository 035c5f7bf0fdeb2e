/// The batch of a recipe that takes it from the number of images, so that few images still give steps enough to learn.
public enum BatchChoice {
    /// The steps that an epoch should have at least.
    static let stepsPerEpoch = 16
    /// The smallest batch that is chosen, unless there are fewer images.
    static let smallest = 8

    /// The largest batch, the recipe's own halved as often as needed, that gives an epoch its steps.
    ///
    /// The learning rate stays by its own rule: with `lr_scaling` it follows the batch, and without it a step of AdamW is as
    /// long whatever the batch.
    ///
    /// - Parameters:
    ///   - images: The images that an epoch shows.
    ///   - usual: The recipe's batch, for data that is large enough.
    /// - Returns: The batch, at least 1.
    static func batch(images: Int, usual: Int) -> Int {
        var batch = usual
        while batch / 2 >= smallest, images / batch < stepsPerEpoch { batch /= 2 }
        return max(1, min(batch, images))
    }
}

extension Recipe {
    /// Whether a run by this recipe takes its batch from the number of images where no other is requested.
    public var choosesBatch: Bool { Self.choosesBatch(name) }

    /// Whether a run by a recipe takes its batch from the number of images where no other is requested.
    ///
    /// - Parameter name: The recipe's name.
    /// - Returns: Whether it does: those for data of one's own do, those that repeat a paper's numbers do not.
    static func choosesBatch(_ name: String) -> Bool { ["finetune", "linear"].contains(name) }
}

extension RunRequest {
    /// Opens the data, and chooses the batch by it where that is left to the recipe.
    ///
    /// - Parameter notice: Called with a note if the batch differs from the recipe's.
    /// - Returns: The data, read as the options now say.
    /// - Throws: `DatasetError` where the data cannot be used.
    mutating func openData(notice: (String) -> Void) throws -> RunData {
        var data = try openWholeData(notice: notice)
        data.share = share
        return data
    }

    private mutating func openWholeData(notice: (String) -> Void) throws -> RunData {
        guard choosesBatch, resuming == nil else { return try RunData(options) }
        var single = options
        (single.batch, single.accumulation) = (1, 1)
        let data = try RunData(single)
        let usual = options.batch
        options.batch = BatchChoice.batch(images: data.imagesPerEpoch, usual: usual)
        options.accumulation = min(options.accumulation, options.batch)
        if options.batch != usual {
            notice(
                "note: batch \(options.batch) instead of the recipe's \(usual), for "
                    + "\(data.imagesPerEpoch / options.batch) steps an epoch with \(data.imagesPerEpoch) images; "
                    + "override it with --batch"
            )
        }
        return try data.read(with: options)
    }
}
