package import ImagePipeline

extension ImageProcessor {
    /// The processor for a model's input of another size: all sizes in it change by the same factor, the crop becomes
    /// the input.
    ///
    /// A shorter side around a square crop covers one that is no square, as timm's `crop_mode` has it: the crop would
    /// reach beyond the image otherwise.
    package func resized(
        from old: (height: Int, width: Int),
        to new: (height: Int, width: Int)
    ) throws(ImageError) -> ImageProcessor {
        func scaled(_ value: Int, _ old: Int, _ new: Int) -> Int {
            guard old > 0 else { return new }
            let (product, overflow) = value.multipliedReportingOverflow(by: new)
            return overflow ? new : max(1, product / old)
        }
        let isCropped = cropHeight != nil
        var rule = resize
        switch resize {
        case .none: break
        case .shortestSide(let side) where isCropped && old.height == old.width:
            rule = CropMode.center.resize(
                toHeight: scaled(side, old.height, new.height),
                width: scaled(side, old.width, new.width)
            )
        case .shortestSide(let side):
            rule = .shortestSide(
                scaled(side, min(old.height, old.width), min(new.height, new.width))
            )
        case .exact(let height, let width), .cover(let height, let width),
            .contain(let height, let width):
            rule =
                resize.cropMode?.resize(
                    toHeight: scaled(height, old.height, new.height),
                    width: scaled(width, old.width, new.width)
                ) ?? resize
        }
        return try with(
            resize: rule,
            crop: isCropped ? ImageSize(height: new.height, width: new.width) : nil
        )
    }
}

extension ResizeRule {
    /// timm's name of the rule; nil where it has none.
    var cropMode: CropMode? {
        switch self {
        case .none: nil
        case .shortestSide, .cover: .center
        case .exact: .squash
        case .contain: .border
        }
    }

    /// The sides that the rule brings an image to, or would for the other crop modes.
    ///
    /// - Parameters:
    ///   - height: The rows of the crop.
    ///   - width: The columns of the crop.
    /// - Returns: The sides.
    func around(height: Int, width: Int) -> ImageSize {
        switch self {
        case .none: return ImageSize(height: height, width: width)
        case .shortestSide(let side):
            let shorter = max(1, min(height, width))
            return ImageSize(height: side * height / shorter, width: side * width / shorter)
        case .exact(let height, let width), .cover(let height, let width),
            .contain(let height, let width):
            return ImageSize(height: height, width: width)
        }
    }
}
