import CImageCodecs

extension Image {
    /// The number of pixels.
    var pixelCount: Int { height * width }

    /// Turns each sample into 255 minus itself, as Pillow's `ImageOps.invert`.
    public mutating func invert() {
        solarize(threshold: 0)
    }

    /// Inverts the samples from a threshold on, as Pillow's `ImageOps.solarize`.
    ///
    /// - Parameter threshold: The least sample that is inverted, usually 128; above 255 none is.
    public mutating func solarize(threshold: Int = 128) {
        guard threshold < 256 else { return }
        pixels.withUnsafeMutableBufferPointer {
            ic_solarize($0.baseAddress, $0.count, UInt8(max(0, threshold)))
        }
    }

    /// Adds a number to the dark samples, as timm's `solarize_add`.
    ///
    /// - Parameters:
    ///   - amount: The number; sums are cut off at 0 and 255.
    ///   - threshold: The least sample that stays as it is.
    public mutating func solarizeAdd(_ amount: Int, threshold: Int = 128) {
        let amount = max(-255, min(255, amount))
        guard hasUsualChannels else {
            return changeChannels { part, _ in part.solarizeAdd(amount, threshold: threshold) }
        }
        let table = (0..<256).map { UInt8($0 < threshold ? max(0, min(255, $0 + amount)) : $0) }
        lookUp(tables: [[UInt8]](repeating: table, count: channels))
    }

    /// Keeps the highest bits of each sample, as Pillow's `ImageOps.posterize`.
    ///
    /// - Parameter bits: How many bits are kept; with 8 or more nothing changes, with 0 or fewer all is black.
    public mutating func posterize(bits: Int) {
        guard bits < 8 else { return }
        let mask: UInt8 = bits <= 0 ? 0 : 0xFF << UInt8(8 - bits)
        pixels.withUnsafeMutableBufferPointer { ic_mask($0.baseAddress, $0.count, mask) }
    }

    /// Stretches each channel so that its least sample becomes 0 and its largest 255, as Pillow's
    /// `ImageOps.autocontrast`.
    public mutating func autoContrast() {
        guard hasUsualChannels else { return changeChannels { part, _ in part.autoContrast() } }
        lookUp(tables: histograms().map { Image.stretchingTable(for: $0) })
    }

    /// Gives each channel an even histogram, as Pillow's `ImageOps.equalize`.
    public mutating func equalize() {
        guard hasUsualChannels else { return changeChannels { part, _ in part.equalize() } }
        lookUp(tables: histograms().map { Image.equalizingTable(for: $0) })
    }

    /// How often each of the 256 samples occurs, for each channel.
    func histograms() -> [[UInt32]] {
        var counts = [UInt32](repeating: 0, count: 256 * channels)
        pixels.withUnsafeBufferPointer { pixels in
            counts.withUnsafeMutableBufferPointer { counts in
                ic_count_samples(pixels.baseAddress, pixelCount, channels, counts.baseAddress)
            }
        }
        return (0..<channels).map { Array(counts[($0 * 256)..<(($0 + 1) * 256)]) }
    }

    private mutating func lookUp(tables: [[UInt8]]) {
        let count = pixelCount
        let channels = channels
        let flat = Array(tables.joined())
        guard flat.count == 256 * channels else { return }
        pixels.withUnsafeMutableBufferPointer { pixels in
            flat.withUnsafeBufferPointer { tables in
                ic_look_up(pixels.baseAddress, count, channels, tables.baseAddress)
            }
        }
    }

    private static let identityTable = (0..<256).map { UInt8($0) }

    private static func stretchingTable(for counts: [UInt32]) -> [UInt8] {
        guard let low = counts.firstIndex(where: { $0 > 0 }),
            let high = counts.lastIndex(where: { $0 > 0 }), low < high
        else { return identityTable }
        let scale = 255 / Double(high - low)
        let offset = -Double(low) * scale
        return (0..<256).map { UInt8(max(0, min(255, Int(Double($0) * scale + offset)))) }
    }

    private static func equalizingTable(for counts: [UInt32]) -> [UInt8] {
        guard let last = counts.lastIndex(where: { $0 > 0 }) else { return identityTable }
        let total = counts.reduce(0) { $0 + Int($1) }
        let step = (total - Int(counts[last])) / 255
        guard step > 0 else { return identityTable }
        var sum = step / 2
        return counts.map { count in
            defer { sum += Int(count) }
            // Samples beyond the largest one may come out above 255; none occurs.
            return UInt8(min(255, sum / step))
        }
    }
}
