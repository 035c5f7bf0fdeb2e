public import ImagePipeline

extension ModelRegistry.Preset {
    /// How images were made for the weights that the preset is known for.
    ///
    /// A network that is trained from scratch may have its own; a checkpoint tells its own.
    ///
    /// - Returns: The processor; nil where nothing is known, as for networks of ours.
    /// - Throws: `ImageError` for a size that no image has.
    public func processor() throws(ImageError) -> ImageProcessor? {
        guard let family = ModelFamilies.family(of: configuration),
            var model = family.model(named: name)
        else { return nil }
        if model.tag == nil {
            // `timm/resnet18.a1_in1k` is of the training `a1_in1k`.
            let parts =
                PublishedWeights(of: name)?.repository?.split(separator: ".", maxSplits: 1)
                ?? []
            model.tag = parts.count > 1 ? String(parts[1]) : nil
        }
        let (height, width) = configuration.imageSize
        return try family.processor(for: model, size: ImageSize(height: height, width: width))
    }
}

extension ModelConfiguration {
    /// How images become the input of a network where nothing says it: small ones as a whole, the middle of others.
    ///
    /// Colours are normalised with ImageNet's statistics, other channels are brought to -1 … 1.
    ///
    /// - Parameter cropShare: The share of the shorter side that the crop keeps; nil for the usual, 0.875, of images larger
    ///   than 64 pixels.
    /// - Returns: The processor.
    /// - Throws: `ImageError` for a size beyond any image's, or channels that no image has.
    package func usualProcessor(cropShare: Double? = nil) throws(ImageError) -> ImageProcessor {
        let (height, width) = imageSize
        let isColour = inChannels == 3
        let half = [Float](repeating: 0.5, count: max(0, inChannels))
        let mean = isColour ? Normalization.imageNet.mean : half
        let std = isColour ? Normalization.imageNet.std : half
        guard max(height, width) > 64 || cropShare != nil else {
            return try .whole(
                height: height,
                width: width,
                channels: inChannels,
                mean: mean,
                std: std
            )
        }
        return try ImageProcessor(
            resize: CropMode.center.resize(height: height, width: width, share: cropShare ?? 0.875),
            cropHeight: height,
            cropWidth: width,
            channels: inChannels,
            mean: mean,
            std: std
        )
    }
}
