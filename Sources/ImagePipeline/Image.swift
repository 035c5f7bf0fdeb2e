/// An image of eight-bit samples in memory.
///
/// The samples are interleaved, row after row without padding: `pixels[(y * width + x) * channels + c]`.
/// One channel is grey, three are red, green and blue, 0 to 255. Files give no others; a data set of its own kind may,
/// and then each channel is treated as a grey image.
public struct Image: Sendable, Equatable {
    /// The most channels that an image may have.
    public static let mostChannels = 256

    /// The number of rows, at least 1.
    public let height: Int
    /// The number of columns, at least 1.
    public let width: Int
    /// The samples of a pixel: 1 for grey, 3 for RGB, others for other things.
    public let channels: Int
    /// The samples, `height * width * channels` of them.
    public internal(set) var pixels: [UInt8]

    /// The height and width.
    public var size: ImageSize { ImageSize(height: height, width: width) }

    /// Creates an image from its samples.
    ///
    /// - Parameters:
    ///   - height: The number of rows, at least 1.
    ///   - width: The number of columns, at least 1.
    ///   - channels: 1 for grey, 3 for RGB, or another number up to ``mostChannels``.
    ///   - pixels: The interleaved samples, `height * width * channels` of them.
    /// - Throws: ``ImageError/invalid(_:)`` when the values do not fit together.
    public init(height: Int, width: Int, channels: Int, pixels: [UInt8]) throws(ImageError) {
        let count = try Image.byteCount(height: height, width: width, channels: channels)
        guard pixels.count == count else {
            throw .invalid(
                "an image of \(channels) channels and \(ImageSize(height: height, width: width)) has \(count) samples, not "
                    + "\(pixels.count)"
            )
        }
        self.init(unchecked: pixels, height: height, width: width, channels: channels)
    }

    /// Creates an image of which the caller knows that the values fit together.
    init(unchecked pixels: [UInt8], height: Int, width: Int, channels: Int) {
        self.height = height
        self.width = width
        self.channels = channels
        self.pixels = pixels
    }

    /// The number of samples of an image, with every factor checked.
    static func byteCount(height: Int, width: Int, channels: Int) throws(ImageError) -> Int {
        guard (1...mostChannels).contains(channels) else {
            throw .invalid("an image must have from 1 to \(mostChannels) channels, not \(channels)")
        }
        guard height > 0, width > 0 else {
            throw .invalid("an image of \(ImageSize(height: height, width: width)) is empty")
        }
        let (area, overflow) = height.multipliedReportingOverflow(by: width)
        let (count, overflowToo) = area.multipliedReportingOverflow(by: channels)
        guard !overflow, !overflowToo else {
            throw .invalid(
                "an image of \(ImageSize(height: height, width: width)) does not fit into memory"
            )
        }
        return count
    }

    /// Creates an image by filling its samples in place.
    static func filled<E: Error>(
        height: Int,
        width: Int,
        channels: Int,
        _ fill: (UnsafeMutableBufferPointer<UInt8>) throws(E) -> Void
    ) throws(E) -> Image {
        let count = height * width * channels
        var failure: E?
        let pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            let whole = UnsafeMutableBufferPointer(rebasing: buffer[..<count])
            do throws(E) {
                try fill(whole)
                filled = count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return Image(unchecked: pixels, height: height, width: width, channels: channels)
    }
}
