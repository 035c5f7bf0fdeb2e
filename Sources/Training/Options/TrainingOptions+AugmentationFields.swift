extension TrainingOptions {
    /// What happens to training images at random, in the order in which it happens.
    static let augmentationFields: [OptionField] = cropFields + colourFields + mixingFields

    private static let cropFields: [OptionField] = [
        .flag(
            .exifOrientation,
            \.exifOrientation,
            "Turn images upright as their EXIF data say; timm and DeiT do not."
        ),
        .number(
            .cropPadding,
            \.cropPadding,
            0...1_024,
            absent: "off",
            "pixels",
            "Random crop after padding by so many pixels."
        ),
        .number(
            .cropScale,
            \.cropScale,
            Double.leastNonzeroMagnitude...1,
            absent: "off",
            "share",
            "Random resized crop that keeps at least this share of the area."
        ),
        .flag(
            .src,
            \.src,
            "Random crop of the whole width or height instead of the resized one (DeiT-III)."
        ),
        .choice(.trainInterpolation, \.trainInterpolation, "How training images are resized."),
        .number(.flip, \.flip, 0...1, "probability", "Mirror an image left to right."),
        .number(.vflip, \.vflip, 0...1, "probability", "Mirror an image top to bottom."),
        .number(
            .evalCropRatio,
            \.evalCropRatio,
            0.02...1,
            absent: "auto",
            "share",
            "Centre crop in validation; auto: 0.875, small images whole, a checkpoint's own."
        ),
    ]

    private static let colourFields: [OptionField] = [
        .text(
            .aa,
            \.aa,
            absent: "off",
            "policy",
            "RandAugment or AutoAugment by timm's name, such as rand-m9-mstd0.5-inc1 or original."
        ),
        .flag(
            .threeAugment,
            \.threeAugment,
            "Make each image grey, solarised or blurred (DeiT-III)."
        ),
        .number(
            .colorJitter,
            \.colorJitter,
            0...1,
            "strength",
            "Change brightness, contrast, saturation; unused beside aa."
        ),
        .number(
            .grayscaleProb,
            \.grayscaleProb,
            0...1,
            "probability",
            "Make an image grey."
        ),
        .number(
            .gaussianBlurProb,
            \.gaussianBlurProb,
            0...1,
            "probability",
            "Blur an image."
        ),
        .number(.reprob, \.reprob, 0...1, "probability", "Random erasing."),
        .choice(.remode, \.remode, "Erase with black, one colour or noise."),
        .number(.recount, \.recount, 1...100, "count", "Boxes that are erased."),
    ]

    private static let mixingFields: [OptionField] = [
        .number(.mixup, \.mixup, 0...1_000, "alpha", "Mixup's alpha; 0: none."),
        .number(.cutmix, \.cutmix, 0...1_000, "alpha", "CutMix's alpha; 0: none."),
        .numbers(
            .cutmixMinmax,
            \.cutmixMinmax,
            0...1,
            absent: "off",
            "min,max",
            "Sides of CutMix's box as shares of the image's, instead of alpha."
        ),
        .number(.mixupProb, \.mixupProb, 0...1, "probability", "Mix a batch."),
        .number(
            .mixupSwitchProb,
            \.mixupSwitchProb,
            0...1,
            "probability",
            "Take CutMix where both are on."
        ),
        .choice(.mixupMode, \.mixupMode, "Draw once for the batch, a pair or each image."),
        repeats,
        .number(
            .augmentationEpochs,
            \.augmentationEpochs,
            1...1_000_000,
            absent: "off",
            "count",
            "After so many epochs show their images again, as augmented and mixed before."
        ),
    ]

    /// A count, or `off`; DeiT's recipes write `on` for three.
    private static let repeats = OptionField(
        key: CodingKeys.repeatedAug.rawValue,
        help: "Show each image so often in an epoch of the usual length, augmented anew.",
        placeholder: "count",
        expected: "a whole number from 2 to 100, or \"off\"",
        read: { $0.repeatedAug.map { String($0) } ?? "off" },
        write: { options, text in
            if OptionField.isAbsent(text, "off") || text == "1" {
                options.repeatedAug = nil
            } else if ["on", "true", "yes"].contains(text) {
                options.repeatedAug = 3
            } else {
                guard let count = Int(text), (2...100).contains(count) else { return false }
                options.repeatedAug = count
            }
            return true
        }
    )
}
