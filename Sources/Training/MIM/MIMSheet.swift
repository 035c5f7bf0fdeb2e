import ImagePipeline
import Torch

/// Rows of images: as they are, with their hidden patches grey, and with what the model painted there.
struct MIMSheet {
    /// The path of an epoch's sheet in the run's folder.
    static func name(epoch: Int) -> String { "reconstructions/epoch-\(epoch).png" }

    let patchSize: Int
    let normalization: Normalization

    /// The white lines between images, in pixels.
    private static let gap = 2
    private static let grey: UInt8 = 127
    /// Small images are shown this large at least, each pixel as a square.
    private static let leastSide = 96

    /// Draws the sheet.
    ///
    /// - Parameters:
    ///   - images: `[images, channels, height, width]`, normalised.
    ///   - painted: What the model made of them, of the same shape.
    ///   - masks: `[images, patches]`, not 0 where a patch is hidden.
    /// - Returns: A PNG file.
    /// - Throws: `ImageError` for images that no PNG file holds, `TorchError`.
    func png(images: Tensor, painted: Tensor, masks: Tensor) throws -> [UInt8] {
        let shape = images.shape
        guard shape.count == 4, painted.shape == shape, shape[1] > 0, shape[2] > 0, shape[3] > 0,
            patchSize > 0
        else { throw ImageError.invalid("images and reconstructions have different shapes") }
        let (count, height, width) = (shape[0], shape[2], shape[3])
        // Of more channels than a PNG file holds, the first is shown.
        let channels = shape[1] == 3 ? 3 : 1
        let hidden = try masks.floats()
        let patches = hidden.count / max(count, 1)
        let grid = (width: width / patchSize, count: patches)
        let scale = max(1, (Self.leastSide + height - 1) / height)
        let cell = (height: height * scale + Self.gap, width: width * scale + Self.gap)
        let size = (height: count * cell.height + Self.gap, width: 3 * cell.width + Self.gap)
        var sheet = [UInt8](repeating: 255, count: size.height * size.width * channels)
        let (originals, results) = try (images.floats(), painted.floats())
        for image in 0..<count {
            for channel in 0..<channels {
                let start = (image * shape[1] + channel) * height * width
                for place in 0..<(height * width) {
                    let (row, column) = (place / width, place % width)
                    let patch = row / patchSize * grid.width + column / patchSize
                    let isHidden = patch < patches && hidden[image * patches + patch] != 0
                    let original = sample(originals[start + place], channel)
                    let result = sample(results[start + place], channel)
                    let cells = (
                        original, isHidden ? Self.grey : original, isHidden ? result : original
                    )
                    let top = Self.gap + image * cell.height + row * scale
                    for line in top..<(top + scale) {
                        let left = line * size.width + Self.gap + column * scale
                        for pixel in left..<(left + scale) {
                            sheet[pixel * channels + channel] = cells.0
                            sheet[(pixel + cell.width) * channels + channel] = cells.1
                            sheet[(pixel + 2 * cell.width) * channels + channel] = cells.2
                        }
                    }
                }
            }
        }
        return try Image(height: size.height, width: size.width, channels: channels, pixels: sheet)
            .encodedPNG()
    }

    private func sample(_ value: Float, _ channel: Int) -> UInt8 {
        guard value.isFinite, channel < normalization.mean.count else { return 0 }
        let unit = value * normalization.std[channel] + normalization.mean[channel]
        return UInt8(min(max(unit * 255, 0), 255).rounded())
    }
}
