import ImagePipeline
import VisionModels

/// Checks of masked modelling's options against one another, before anything is created.
enum MIMPreflight {
    /// Options that contradict one another.
    static func check(_ options: TrainingOptions) throws(OptionError) {
        try UnlabelledData.check(options, for: .mim)
        guard options.maskRatio > 0, options.maskRatio < 1 else {
            throw .conflict(
                "--mask-ratio must be above 0 and below 1, not \(options.maskRatio)"
            )
        }
    }

    /// How images of a network are masked.
    static func masking(
        _ options: TrainingOptions,
        _ transformer: ViTConfiguration
    ) throws(OptionError) -> PatchMasking {
        let patch = transformer.patchSize
        let (height, width) = (transformer.imageHeight, transformer.imageWidth)
        let grid = PatchGrid(height: height / patch, width: width / patch)
        // SimMIM's 32 of 224 pixels; small images have smaller squares.
        let usual = min(height, width) > 64 ? 32 : patch
        let side = options.maskPatchSize ?? (usual.isMultiple(of: patch) ? usual : patch)
        guard options.maskKind == .block || side.isMultiple(of: patch) else {
            throw .conflict(
                "masks of \(side) pixels are not a multiple of the patch size \(patch): "
                    + "choose another --mask-patch-size"
            )
        }
        let unit = max(1, side / patch)
        guard
            let masking = PatchMasking(
                options.maskKind,
                grid: grid,
                unit: unit,
                ratio: options.maskRatio
            )
        else {
            throw .conflict(
                "masks of \(side) pixels do not divide images of \(ImageSize(height: height, width: width)), or mask all of it: "
                    + "choose another --mask-patch-size, --size or --model"
            )
        }
        return masking
    }
}
