import Datasets

/// Options that the kind of the data's labels does not allow.
enum LabelCheck {
    /// Checks options against data whose images have one label each, or may have several.
    ///
    /// - Parameters:
    ///   - options: The options.
    ///   - dataset: The training images.
    /// - Throws: ``OptionError`` for options that make no sense together with such labels.
    static func check(
        _ options: TrainingOptions,
        _ dataset: any ImageDataset
    ) throws(OptionError) {
        if dataset.isMultiLabel { try checkSeveral(options) } else { try checkOne(options) }
    }

    private static func checkSeveral(_ options: TrainingOptions) throws(OptionError) {
        if options.sampler == .balanced {
            throw .conflict(
                "sampler balanced needs one class an image, and images of \(options.data) may have several: use "
                    + "--class-weights balanced or --pos-weight balanced"
            )
        }
        if options.bestMetric == .balancedAccuracy {
            throw .conflict(
                "best_metric balanced-accuracy needs one class an image, and images of \(options.data) may have several: "
                    + "use --best-metric map, macro-f1 or loss"
            )
        }
    }

    private static func checkOne(_ options: TrainingOptions) throws(OptionError) {
        let key: String? =
            options.posWeight != .none
            ? "pos_weight"
            : options.asymmetricLoss
                ? "asymmetric_loss" : options.bestMetric == .map ? "best_metric map" : nil
        if let key {
            throw .conflict(
                "\(key) is for images with several labels, and each image of \(options.data) has one: leave it out, or "
                    + "add --multi-label on"
            )
        }
    }
}
