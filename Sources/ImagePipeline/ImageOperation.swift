/// One step of a training transform; random steps draw from the generator in the order of the list.
public enum ImageOperation: Sendable, Equatable, Codable {
    /// Brings the picture to a size.
    case resize(ResizeRule, interpolation: Interpolation)
    /// Takes the middle, with a black border where the picture is smaller.
    case centerCrop(height: Int, width: Int)
    /// Takes a random part of random shape and resizes it.
    case randomResizedCrop(RandomResizedCrop)
    /// Takes a random part of fixed size, after adding a border.
    case randomCrop(RandomCrop)
    /// Mirrors left to right with a probability from 0 to 1.
    case horizontalFlip(probability: Double)

    /// Carries the step out.
    func apply(to image: Image, using generator: inout SplitMix64) throws(ImageError) -> Image {
        switch self {
        case .resize(let rule, let interpolation):
            let (height, width) = try rule.size(height: image.height, width: image.width)
            return try image.resized(height: height, width: width, interpolation: interpolation)
        case .centerCrop(let height, let width):
            return try image.centerCropped(height: height, width: width)
        case .randomResizedCrop(let crop):
            return try crop.apply(to: image, using: &generator)
        case .randomCrop(let crop):
            return try crop.apply(to: image, using: &generator)
        case .horizontalFlip(let probability):
            // The number is drawn in either case, so that later steps do not depend on the probability.
            return generator.uniform() < probability ? image.flippedHorizontally() : image
        }
    }

    /// The size of a picture after the step.
    func outputSize(height: Int, width: Int) throws(ImageError) -> (height: Int, width: Int) {
        switch self {
        case .resize(let rule, _): try rule.size(height: height, width: width)
        case .centerCrop(let height, let width): (height, width)
        case .randomResizedCrop(let crop): (crop.height, crop.width)
        case .randomCrop(let crop): (crop.height, crop.width)
        case .horizontalFlip: (height, width)
        }
    }

    /// Refuses parameters that make no sense.
    func validate() throws(ImageError) {
        switch self {
        case .resize(let rule, _):
            try rule.validate()
        case .centerCrop(let height, let width):
            _ = try Image.byteCount(height: height, width: width, channels: 3)
        case .randomResizedCrop(let crop):
            try crop.validate()
        case .randomCrop(let crop):
            try crop.validate()
        case .horizontalFlip(let probability):
            guard (0...1).contains(probability) else {
                throw .invalid("the probability of a flip is from 0 to 1, not \(probability)")
            }
        }
    }
}
