import ImagePipeline
import VisionModels

/// The augmentation of training images that the options describe.
enum Augmentation {
    /// The random way from an image to a training example, in timm's order: crop, mirror, colours, then erasing.
    ///
    /// ## Source
    /// `timm/data/transforms_factory.py`, `transforms_imagenet_train`; facebookresearch/deit `augment.py` for
    /// `three_augment`, and `main.py`, `build_transform`, for the padded crop of small images.
    static func transform(
        _ options: TrainingOptions,
        _ configuration: ModelConfiguration,
        _ processor: ImageProcessor
    ) throws(ImageError) -> TrainingTransform {
        let (height, width) = configuration.imageSize
        var operations = crop(options, height: height, width: width)
        operations.append(.horizontalFlip(probability: options.flip))
        if options.vflip > 0 { operations.append(.verticalFlip(probability: options.vflip)) }
        operations += try colours(options, mean: processor.mean)
        return try TrainingTransform(
            operations: operations,
            channels: processor.channels,
            mean: processor.mean,
            std: processor.std,
            erasing: options.reprob > 0
                ? RandomErasing(
                    probability: options.reprob,
                    mode: options.remode,
                    count: options.recount
                ) : nil,
            appliesOrientation: processor.appliesOrientation
        )
    }

    private static func crop(
        _ options: TrainingOptions,
        height: Int,
        width: Int
    ) -> [ImageOperation] {
        let interpolation = options.trainInterpolation.kind
        if options.src {
            let crop = RandomCrop(height: height, width: width, padding: 4, border: .reflect)
            return [
                .resize(
                    .shortestSide(min(height, width)),
                    interpolation: interpolation ?? .bicubic
                ), .randomCrop(crop),
            ]
        }
        if let scale = options.cropScale {
            return [
                .randomResizedCrop(
                    RandomResizedCrop(
                        height: height,
                        width: width,
                        scale: scale...1,
                        interpolation: interpolation
                    )
                )
            ]
        }
        let whole = ImageOperation.resize(
            .exact(height: height, width: width),
            interpolation: interpolation ?? .bicubic
        )
        guard let padding = options.cropPadding else { return [whole] }
        let crop = RandomCrop(height: height, width: width, padding: padding)
        return [whole, .randomCrop(crop)]
    }

    static func colours(
        _ options: TrainingOptions,
        mean: [Float]
    ) throws(ImageError) -> [ImageOperation] {
        var operations: [ImageOperation] = []
        if let aa = options.aa {
            operations.append(
                try .augmentation(
                    parsing: aa,
                    mean: mean,
                    interpolation: options.trainInterpolation.kind
                )
            )
        }
        if options.threeAugment { operations.append(.threeAugment(ThreeAugment())) }
        // As timm has it: the notation of 3-Augment, wherever it stands in the text, leaves the jitter on.
        let jitters = options.aa?.contains("3a") ?? true
        if jitters, options.colorJitter > 0 {
            operations.append(.colorJitter(ColorJitter(options.colorJitter)))
        }
        if options.grayscaleProb > 0 {
            operations.append(.grayscale(probability: options.grayscaleProb))
        }
        if options.gaussianBlurProb > 0 {
            operations.append(.gaussianBlur(GaussianBlur(probability: options.gaussianBlurProb)))
        }
        return operations
    }

    /// How the images of a batch are mixed, or nil.
    static func mixing(_ options: TrainingOptions) throws(ImageError) -> Mixing? {
        guard options.mixes else { return nil }
        let mixing = Mixing(
            mixupAlpha: options.mixup,
            cutmixAlpha: options.cutmix,
            cutmixMinMax: options.cutmixMinmax,
            probability: options.mixupProb,
            switchProbability: options.mixupSwitchProb,
            mode: options.mixupMode
        )
        try mixing.validate()
        return mixing
    }
}
