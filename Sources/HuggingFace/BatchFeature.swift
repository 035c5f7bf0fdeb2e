public import Checkpoints
public import ImagePipeline
public import Torch

/// What an image processor makes of images: the numbers that a model reads.
///
/// It is a value that may cross tasks; the tensor is made where the model runs.
public struct BatchFeature: Sendable, Equatable {
    /// The numbers, `[batch, channels, height, width]` in row-major order.
    public let values: [Float]

    /// The size of every dimension.
    public let shape: [Int]

    /// The numbers as a tensor.
    ///
    /// - Returns: `[batch, channels, height, width]`, `float32`.
    /// - Throws: `TorchError` for a lack of memory.
    public func pixelValues() throws(TorchError) -> Tensor { try Tensor(values, shape: shape) }
}

extension PretrainedImageProcessor {
    /// Returns a model's input for images.
    ///
    /// - Parameter images: The images, at least one; they are converted to as many channels as there are means.
    /// - Returns: The numbers, `[batch, channels, height, width]`.
    /// - Throws: `ImageError` when the values of the processor do not fit together, or the results have different sizes.
    public func preprocess(_ images: [Image]) throws(ImageError) -> BatchFeature {
        let processor = try imageProcessor()
        var prepared: [Image] = []
        for image in images { prepared.append(try prepare(image, processor)) }
        guard let first = prepared.first else {
            throw .invalid("there is no image to preprocess")
        }
        guard prepared.allSatisfy({ $0.height == first.height && $0.width == first.width }) else {
            throw .invalid(
                "the images have different sizes after resize and crop; preprocess them one by one"
            )
        }
        let count = first.pixels.count
        var values = [Float](repeating: 0, count: count * prepared.count)
        let result = values.withUnsafeMutableBufferPointer { buffer in
            Result { () throws(ImageError) in
                for (index, image) in prepared.enumerated() {
                    let part = buffer[(index * count)..<((index + 1) * count)]
                    try processor.normalization.normalize(image, into: .init(rebasing: part))
                }
            }
        }
        try result.get()
        return BatchFeature(
            values: values,
            shape: [prepared.count, first.channels, first.height, first.width]
        )
    }

    /// Returns a model's input for images, as ``preprocess(_:)`` does.
    public func callAsFunction(_ images: [Image]) throws(ImageError) -> BatchFeature {
        try preprocess(images)
    }

    /// The image after resize and crop, still in bytes.
    private func prepare(
        _ image: Image,
        _ processor: ImageProcessor
    ) throws(ImageError) -> Image {
        let (height, width) = try processor.resize.size(height: image.height, width: image.width)
        let rows = doCenterCrop ? max(0, cropSize.height - height) : 0
        let columns = doCenterCrop ? max(0, cropSize.width - width) : 0
        guard rows > 0 || columns > 0 else { return try processor.prepare(image) }
        // transformers' Pillow class has the odd row above and the odd column to the left, torchvision the other way.
        return try image.converted(toChannels: processor.channels)
            .resized(height: height, width: width, interpolation: resample)
            .padded(
                top: (rows + 1) / 2,
                left: (columns + 1) / 2,
                bottom: rows / 2,
                right: columns / 2
            )
            .centerCropped(height: cropSize.height, width: cropSize.width, centering: .floored)
    }
}
