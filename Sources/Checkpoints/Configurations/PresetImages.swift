public import ImagePipeline
public import VisionModels

extension ModelRegistry.Preset {
    /// How images were made for the weights that the preset is known for.
    ///
    /// A network that is trained from scratch may have its own; a checkpoint tells its own.
    ///
    /// - Returns: The processor; nil where nothing is known, as for networks of ours.
    /// - Throws: `ImageError` for a size that no image has.
    public func processor() throws(ImageError) -> ImageProcessor? {
        let (height, width) = configuration.imageSize
        if let named = TimmArchitecture(name) {
            return try named.processor(height: height, width: width)
        }
        // `timm/resnet18.a1_in1k` is of the training `a1_in1k`.
        let published = PublishedWeights(of: name)?.source.split(separator: ".", maxSplits: 1)
        let tag = published.flatMap { $0.count > 1 ? String($0[1]) : nil }
        return try ConvNetImages.processor(preset: name, tag: tag, height: height, width: width)
    }
}
