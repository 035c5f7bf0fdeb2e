public import ImagePipeline

extension PretrainedImageProcessor {
    /// Returns a model's input for pictures.
    ///
    /// - Parameter images: The pictures, at least one; they are converted to as many channels as there are means.
    /// - Returns: The numbers, `[batch, channels, height, width]`.
    /// - Throws: `ImageError` when the values of the processor do not fit together, or the results have different sizes.
    public func preprocess(_ images: [Image]) throws(ImageError) -> BatchFeature {
        let normalization = try self.normalization()
        var prepared: [Image] = []
        for image in images {
            prepared.append(try prepare(image.converted(toChannels: normalization.mean.count)))
        }
        guard let first = prepared.first else {
            throw .invalid("there is no picture to preprocess")
        }
        guard prepared.allSatisfy({ $0.height == first.height && $0.width == first.width }) else {
            throw .invalid(
                "the pictures have different sizes after resize and crop; preprocess them one by one"
            )
        }
        let count = first.pixels.count
        var values = [Float](repeating: 0, count: count * prepared.count)
        let result = values.withUnsafeMutableBufferPointer { buffer in
            Result { () throws(ImageError) in
                for (index, image) in prepared.enumerated() {
                    let part = buffer[(index * count)..<((index + 1) * count)]
                    try normalization.normalize(image, into: .init(rebasing: part))
                }
            }
        }
        try result.get()
        return BatchFeature(
            values: values,
            shape: [prepared.count, first.channels, first.height, first.width]
        )
    }

    /// Returns a model's input for pictures, as ``preprocess(_:)`` does.
    public func callAsFunction(_ images: [Image]) throws(ImageError) -> BatchFeature {
        try preprocess(images)
    }

    /// The picture after resize and crop, still in bytes.
    private func prepare(_ image: Image) throws(ImageError) -> Image {
        let (height, width) =
            doResize
            ? try size.rule.size(height: image.height, width: image.width)
            : (image.height, image.width)
        guard doCenterCrop else { return try resized(image, height, width, window: nil) }
        guard cropSize.height > 0, cropSize.width > 0 else {
            throw .invalid(
                "crop_size is \(cropSize.height) × \(cropSize.width); it must be positive"
            )
        }
        guard cropSize.height <= height, cropSize.width <= width else {
            return try cropped(padded(resized(image, height, width, window: nil)))
        }
        // Only what the crop keeps is computed.
        return try resized(image, height, width, window: crop(height: height, width: width))
    }

    private func resized(
        _ image: Image,
        _ height: Int,
        _ width: Int,
        window: Region?
    ) throws(ImageError) -> Image {
        if doResize {
            return try image.resized(
                height: height,
                width: width,
                interpolation: resample,
                window: window
            )
        }
        guard let window else { return image }
        return try image.cropped(to: window)
    }

    /// Where the crop lies: transformers rounds down where torchvision rounds to even.
    private func crop(height: Int, width: Int) -> Region {
        Region(
            top: (height - cropSize.height) / 2,
            left: (width - cropSize.width) / 2,
            height: cropSize.height,
            width: cropSize.width
        )
    }

    private func cropped(_ image: Image) throws(ImageError) -> Image {
        try image.cropped(to: crop(height: image.height, width: image.width))
    }

    /// A picture smaller than the crop with black around it, the odd row on top, the odd column to the left.
    private func padded(_ image: Image) throws(ImageError) -> Image {
        let rows = max(0, cropSize.height - image.height)
        let columns = max(0, cropSize.width - image.width)
        return try image.padded(
            top: (rows + 1) / 2,
            left: (columns + 1) / 2,
            bottom: rows / 2,
            right: columns / 2
        )
    }
}
