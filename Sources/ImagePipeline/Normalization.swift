import CImageCodecs

/// Means and standard deviations of the channels, for samples scaled to 0 to 1.
public struct Normalization: Sendable, Equatable, Codable {
    /// The statistics of ImageNet's images, which DeiT and most published models use.
    public static let imageNet = Normalization(
        unchecked: [0.485, 0.456, 0.406],
        deviation: [0.229, 0.224, 0.225]
    )

    /// One mean for each channel.
    public let mean: [Float]
    /// One standard deviation for each channel, above 0.
    public let std: [Float]

    /// Creates statistics.
    ///
    /// - Parameters:
    ///   - mean: One mean for each channel.
    ///   - std: One standard deviation for each channel, above 0.
    /// - Throws: ``ImageError/invalid(_:)`` when the counts differ or a value makes no sense.
    public init(mean: [Float], std: [Float]) throws(ImageError) {
        guard mean.count == std.count, (1...Image.mostChannels).contains(mean.count) else {
            throw .invalid(
                "mean and std need one value for each channel, not \(mean.count) and \(std.count)"
            )
        }
        guard mean.allSatisfy(\.isFinite), std.allSatisfy({ $0.isFinite && $0 > 0 }) else {
            throw .invalid("mean \(mean) and std \(std) must be finite, std above 0")
        }
        self.init(unchecked: mean, deviation: std)
    }

    private init(unchecked mean: [Float], deviation: [Float]) {
        self.mean = mean
        self.std = deviation
    }

    /// Reads statistics and checks them.
    ///
    /// - Parameter decoder: The decoder to read from.
    /// - Throws: A decoding error, or ``ImageError/invalid(_:)`` when a value makes no sense.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            mean: try container.decode([Float].self, forKey: .mean),
            std: try container.decode([Float].self, forKey: .std)
        )
    }

    /// Writes `(sample / 255 - mean) / std`, one plane for each channel.
    ///
    /// - Parameters:
    ///   - image: The image, with as many channels as there are means.
    ///   - output: Room for `channels * height * width` numbers, of which every one is written.
    /// - Throws: ``ImageError/invalid(_:)`` when the channels or the buffer do not match.
    public func normalize(
        _ image: Image,
        into output: UnsafeMutableBufferPointer<Float>
    ) throws(ImageError) {
        guard image.channels == mean.count else {
            throw .invalid(
                "the image has \(image.channels) channels, mean and std have \(mean.count)"
            )
        }
        guard output.count == image.pixels.count else {
            throw .invalid(
                "the image has \(image.pixels.count) samples, the buffer \(output.count)"
            )
        }
        image.pixels.withUnsafeBufferPointer { source in
            ic_normalize(
                source.baseAddress,
                image.height * image.width,
                image.channels,
                mean,
                std,
                output.baseAddress
            )
        }
    }
}
