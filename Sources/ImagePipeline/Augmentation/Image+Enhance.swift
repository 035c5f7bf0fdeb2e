import CImageCodecs

extension Image {
    /// Moves the image from black (factor 0) to itself (1) and beyond, as Pillow's `ImageEnhance.Brightness`.
    ///
    /// - Parameter factor: Any number; one that is not finite changes nothing.
    public mutating func adjustBrightness(_ factor: Double) {
        blend(from: 0, factor: Float(factor))
    }

    /// Moves the image from the grey of its mean luma (factor 0) to itself (1) and beyond, as Pillow's
    /// `ImageEnhance.Contrast`.
    ///
    /// - Parameter factor: Any number; one that is not finite changes nothing.
    public mutating func adjustContrast(_ factor: Double) {
        let sum = pixels.withUnsafeBufferPointer { pixels in
            channels == 3
                ? ic_luma_sum(pixels.baseAddress, pixelCount)
                : pixels.reduce(UInt64(0)) { $0 + UInt64($1) }
        }
        blend(from: Int(Double(sum) / Double(pixelCount) + 0.5), factor: Float(factor))
    }

    /// Moves the image from its luma (factor 0) to itself (1) and beyond, as Pillow's `ImageEnhance.Color`.
    ///
    /// - Parameter factor: Any number; one that is not finite changes nothing. A grey image stays as it is.
    public mutating func adjustSaturation(_ factor: Double) {
        guard channels == 3, Float(factor) != 1, Float(factor).isFinite else { return }
        let count = pixelCount
        pixels.withUnsafeMutableBufferPointer {
            ic_blend_luma($0.baseAddress, count, Float(factor))
        }
    }

    /// Takes all colour away; the image keeps its channels.
    public mutating func desaturate() {
        adjustSaturation(0)
    }

    /// Moves the image from its smoothed self (factor 0) to itself (1) and beyond, as Pillow's
    /// `ImageEnhance.Sharpness`.
    ///
    /// - Parameter factor: Any number; one that is not finite changes nothing. The outermost pixels stay as they are.
    public mutating func adjustSharpness(_ factor: Double) {
        guard Float(factor) != 1, Float(factor).isFinite else { return }
        guard hasUsualChannels else {
            return changeChannels { part, _ in part.adjustSharpness(factor) }
        }
        self = Image.filled(height: height, width: width, channels: channels) { output in
            pixels.withUnsafeBufferPointer { input in
                ic_sharpen(
                    input.baseAddress,
                    output.baseAddress,
                    height,
                    width,
                    channels,
                    Float(factor)
                )
            }
        }
    }

    /// Turns all hues, as torchvision's `adjust_hue` on Pillow images.
    ///
    /// - Parameter turn: The part of a full turn, -0.5 to 0.5. A grey image stays as it is.
    public mutating func adjustHue(_ turn: Double) {
        guard channels == 3 else { return }
        let count = pixelCount
        // A turn of 0 is no identity: HSV has eight bits for each channel.
        let shift = UInt8(truncatingIfNeeded: Int(clamping: turn * 255))
        pixels.withUnsafeMutableBufferPointer { ic_shift_hue($0.baseAddress, count, shift) }
    }

    /// Pillow's `Image.blend` of one grey value and the image.
    private mutating func blend(from grey: Int, factor: Float) {
        guard factor != 1, factor.isFinite else { return }
        let level = UInt8(clamping: grey)
        pixels.withUnsafeMutableBufferPointer {
            ic_blend_grey($0.baseAddress, $0.count, level, factor)
        }
    }
}
