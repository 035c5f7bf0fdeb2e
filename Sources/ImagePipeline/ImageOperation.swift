/// One step of a training transform; random steps draw from the generator in the order of the list.
public enum ImageOperation: Sendable, Equatable, Codable {
    /// Brings the image to a size.
    case resize(ResizeRule, interpolation: Interpolation)
    /// Takes the middle, with a black border where the image is smaller.
    case centerCrop(height: Int, width: Int)
    /// Takes a random part of random shape and resizes it.
    case randomResizedCrop(RandomResizedCrop)
    /// Takes a random part of fixed size, after adding a border.
    case randomCrop(RandomCrop)
    /// Mirrors left to right with a probability from 0 to 1.
    case horizontalFlip(probability: Double)
    /// Mirrors top to bottom with a probability from 0 to 1.
    case verticalFlip(probability: Double)
    /// Turns by a random angle.
    case rotation(RandomRotation)
    /// Carries out a few random operations of one magnitude.
    case randAugment(RandAugment)
    /// Carries out a random pair of operations.
    case autoAugment(AutoAugment)
    /// Carries out one of grey, solarize and blur.
    case threeAugment(ThreeAugment)
    /// Changes brightness, contrast, saturation and hue by random amounts.
    case colorJitter(ColorJitter)
    /// Takes the colour away with a probability from 0 to 1; the channels stay.
    case grayscale(probability: Double)
    /// Blurs by a random deviation.
    case gaussianBlur(GaussianBlur)
    /// Inverts the bright samples.
    case solarize(Solarize)

    /// Reads timm's `--aa`: RandAugment (`rand-m9-mstd0.5-inc1`) or AutoAugment (`original-mstd0.5`, `v0`, `3a`).
    ///
    /// - Parameters:
    ///   - text: The notation.
    ///   - mean: The means of normalisation, whose colour fills what comes from outside of an image.
    ///   - interpolation: How samples are weighed where an image is moved; `nil` draws bilinear or bicubic.
    /// - Returns: The operation.
    /// - Throws: ``ImageError/invalid(_:)`` that names the part which is wrong.
    public static func augmentation(
        parsing text: String,
        mean: [Float],
        interpolation: Interpolation?
    ) throws(ImageError) -> ImageOperation {
        let fill = AugmentSettings.fill(matching: mean)
        guard text == "rand" || text.hasPrefix("rand-") else {
            let isPolicy = AutoAugmentPolicy.allCases.contains { text.hasPrefix($0.rawValue) }
            guard isPolicy else {
                throw .invalid(
                    "\"\(text)\" is not an augmentation; examples are rand-m9-mstd0.5-inc1, original, v0r and 3a"
                )
            }
            return .autoAugment(
                try AutoAugment(parsing: text, fill: fill, interpolation: interpolation)
            )
        }
        return .randAugment(
            try RandAugment(parsing: text, fill: fill, interpolation: interpolation)
        )
    }

    /// Carries the step out.
    func apply(to image: inout Image, using generator: inout SplitMix64) throws(ImageError) {
        switch self {
        case .resize(let rule, let interpolation):
            let (height, width) = try rule.size(height: image.height, width: image.width)
            image = try image.resized(height: height, width: width, interpolation: interpolation)
        case .centerCrop(let height, let width):
            image = try image.centerCropped(height: height, width: width)
        case .randomResizedCrop(let crop):
            image = try crop.apply(to: image, using: &generator)
        case .randomCrop(let crop):
            image = try crop.apply(to: image, using: &generator)
        // Probabilities are compared with a number drawn in either case, so that later steps do not depend on them.
        case .horizontalFlip(let probability):
            if generator.uniform() < probability { image = image.flippedHorizontally() }
        case .verticalFlip(let probability):
            if generator.uniform() < probability { image.flipVertically() }
        case .grayscale(let probability):
            if generator.uniform() < probability { image.desaturate() }
        case .rotation(let rotation): rotation.apply(to: &image, using: &generator)
        case .randAugment(let augment): augment.apply(to: &image, using: &generator)
        case .autoAugment(let augment): augment.apply(to: &image, using: &generator)
        case .threeAugment(let augment): augment.apply(to: &image, using: &generator)
        case .colorJitter(let jitter): jitter.apply(to: &image, using: &generator)
        case .gaussianBlur(let blur): blur.apply(to: &image, using: &generator)
        case .solarize(let solarize): solarize.apply(to: &image, using: &generator)
        }
    }

    /// The size of an image after the step.
    func outputSize(height: Int, width: Int) throws(ImageError) -> (height: Int, width: Int) {
        switch self {
        case .resize(let rule, _): try rule.size(height: height, width: width)
        case .centerCrop(let height, let width): (height, width)
        case .randomResizedCrop(let crop): (crop.height, crop.width)
        case .randomCrop(let crop): (crop.height, crop.width)
        default: (height, width)
        }
    }

    /// Refuses parameters that make no sense.
    func validate() throws(ImageError) {
        switch self {
        case .resize(let rule, _): try rule.validate()
        case .centerCrop(let height, let width):
            _ = try Image.byteCount(height: height, width: width, channels: 3)
        case .randomResizedCrop(let crop): try crop.validate()
        case .randomCrop(let crop): try crop.validate()
        case .horizontalFlip(let probability), .verticalFlip(let probability):
            try ImageOperation.validate(probability: probability, of: "a flip")
        case .grayscale(let probability):
            try ImageOperation.validate(probability: probability, of: "grey")
        case .rotation(let rotation): try rotation.validate()
        case .randAugment(let augment): try augment.validate()
        case .autoAugment(let augment): try augment.validate()
        case .threeAugment(let augment): try augment.validate()
        case .colorJitter(let jitter): try jitter.validate()
        case .gaussianBlur(let blur): try blur.validate()
        case .solarize(let solarize): try solarize.validate()
        }
    }

    /// Refuses what is no probability.
    static func validate(probability: Double, of what: String) throws(ImageError) {
        guard (0...1).contains(probability) else {
            throw .invalid("the probability of \(what) must be from 0 to 1, not \(probability)")
        }
    }
}
