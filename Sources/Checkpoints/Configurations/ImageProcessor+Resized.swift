import ImagePipeline

extension ImageProcessor {
    /// The processor for a model's input of another size: all sizes in it change by the same factor, the crop becomes
    /// the input.
    func resized(
        from old: (height: Int, width: Int),
        to new: (height: Int, width: Int)
    ) throws(ImageError) -> ImageProcessor {
        func scaled(_ value: Int, _ old: Int, _ new: Int) -> Int {
            guard old > 0 else { return new }
            let (product, overflow) = value.multipliedReportingOverflow(by: new)
            return overflow ? new : max(1, product / old)
        }
        var rule = resize
        switch resize {
        case .none: break
        case .shortestSide(let side):
            rule = .shortestSide(
                scaled(side, min(old.height, old.width), min(new.height, new.width))
            )
        case .exact(let height, let width):
            rule = .exact(
                height: scaled(height, old.height, new.height),
                width: scaled(width, old.width, new.width)
            )
        }
        let isCropped = cropHeight != nil
        return try ImageProcessor(
            resize: rule,
            interpolation: interpolation,
            cropHeight: isCropped ? new.height : nil,
            cropWidth: isCropped ? new.width : nil,
            centering: centering,
            channels: channels,
            mean: mean,
            std: std
        )
    }
}
