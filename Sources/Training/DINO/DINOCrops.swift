import ImagePipeline

/// What DINO does to images.
///
/// ## Source
/// dino `main_dino.py`, `DataAugmentationDINO`: one way for the first large crop, one for the second, one for small crops.
/// A third large crop and those after it go the second way.
enum DINOCrops {
    /// The side of small crops: as given, or 96 where the large ones have 224, in whole patches where there are patches.
    static func localSize(_ options: TrainingOptions, globalSize: Int, patch: Int?) -> Int {
        if let size = options.localCropsSize { return size }
        let exact = Double(globalSize) * 96 / 224
        guard let patch else { return max(1, Int(exact.rounded())) }
        return max(1, Int((exact / Double(patch)).rounded())) * patch
    }

    /// The crops of an image, the large ones first.
    static func transform(
        _ options: TrainingOptions,
        globalSize: Int,
        localSize: Int,
        _ processor: ImageProcessor
    ) throws(ImageError) -> MultiCrop {
        let global = options.globalCropsScale ?? [0.4, 1]
        let local = options.localCropsScale ?? [0.05, 0.4]
        let blurs = options.globalBlurProb ?? [0, 0]
        var crops: [TrainingTransform] = []
        for view in 0..<options.globalCropsNumber {
            crops.append(
                try crop(
                    options,
                    processor,
                    size: globalSize,
                    scale: global,
                    blur: blurs[view == 0 ? 0 : 1],
                    solarize: view == 0 ? 0 : options.solarizeProb
                )
            )
        }
        for _ in 0..<options.localCropsNumber {
            crops.append(
                try crop(
                    options,
                    processor,
                    size: localSize,
                    scale: local,
                    blur: options.localBlurProb,
                    solarize: 0
                )
            )
        }
        return try MultiCrop(crops)
    }

    private static func crop(
        _ options: TrainingOptions,
        _ processor: ImageProcessor,
        size: Int,
        scale: [Double],
        blur: Double,
        solarize: Double
    ) throws(ImageError) -> TrainingTransform {
        let strength = options.colorJitter
        var operations: [ImageOperation] = [
            .randomResizedCrop(
                RandomResizedCrop(
                    height: size,
                    width: size,
                    scale: scale[0]...scale[1],
                    interpolation: options.trainInterpolation.kind
                )
            ), .horizontalFlip(probability: options.flip),
            .colorJitter(
                ColorJitter(
                    brightness: strength,
                    contrast: strength,
                    saturation: strength / 2,
                    hue: min(strength / 4, 0.5),
                    probability: options.colorJitterProb
                )
            ), .grayscale(probability: options.grayscaleProb),
        ]
        if blur > 0 { operations.append(.gaussianBlur(GaussianBlur(probability: blur))) }
        if solarize > 0 { operations.append(.solarize(Solarize(probability: solarize))) }
        return try TrainingTransform(
            operations: operations,
            channels: processor.channels,
            mean: processor.mean,
            std: processor.std,
            appliesOrientation: processor.appliesOrientation
        )
    }
}
