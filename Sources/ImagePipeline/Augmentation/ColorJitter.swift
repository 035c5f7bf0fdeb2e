/// Changes brightness, contrast, saturation and hue by random amounts and in random order.
///
/// ## Source
/// torchvision's `ColorJitter` on Pillow images.
public struct ColorJitter: Sendable, Equatable, Codable {
    /// The least and the largest factor of the brightness; `nil` leaves it.
    public var brightness: [Double]?
    /// The least and the largest factor of the contrast; `nil` leaves it.
    public var contrast: [Double]?
    /// The least and the largest factor of the saturation; `nil` leaves it.
    public var saturation: [Double]?
    /// The least and the largest part of a turn by which hues move, -0.5 to 0.5; `nil` leaves them.
    public var hue: [Double]?
    /// The probability of any change, 0 to 1.
    public var probability: Double

    /// Creates a jitter from the largest changes, torchvision's usual notation.
    ///
    /// - Parameters:
    ///   - brightness: Factors lie from `max(0, 1 - brightness)` to `1 + brightness`; 0 leaves it.
    ///   - contrast: The same for the contrast.
    ///   - saturation: The same for the saturation.
    ///   - hue: Hues move by up to this part of a turn either way, 0 to 0.5.
    ///   - probability: The probability of any change, 0 to 1.
    public init(
        brightness: Double = 0,
        contrast: Double = 0,
        saturation: Double = 0,
        hue: Double = 0,
        probability: Double = 1
    ) {
        func range(_ value: Double) -> [Double]? {
            value == 0 ? nil : [max(0, 1 - value), 1 + value]
        }
        self.brightness = range(brightness)
        self.contrast = range(contrast)
        self.saturation = range(saturation)
        self.hue = hue == 0 ? nil : [-hue, hue]
        self.probability = probability
    }

    /// Creates timm's jitter: brightness, contrast and saturation by the same amount.
    ///
    /// - Parameter amount: Factors lie from `max(0, 1 - amount)` to `1 + amount`.
    public init(_ amount: Double) {
        self.init(brightness: amount, contrast: amount, saturation: amount)
    }

    /// What a jitter changes.
    enum Change: Int, CaseIterable {
        case brightness
        case contrast
        case saturation
        case hue
    }

    /// Draws the changes for one image, in the order in which they are made.
    func draw(using generator: inout SplitMix64) -> [(change: Change, amount: Double)] {
        guard generator.uniform() < probability else { return [] }
        var order = Change.allCases
        generator.shuffle(&order)
        let amounts = [brightness, contrast, saturation, hue].map { range in
            range.map { generator.uniform($0[0], $0[1]) }
        }
        return order.compactMap { change in amounts[change.rawValue].map { (change, $0) } }
    }

    func apply(to image: inout Image, using generator: inout SplitMix64) {
        for (change, amount) in draw(using: &generator) {
            switch change {
            case .brightness: image.adjustBrightness(amount)
            case .contrast: image.adjustContrast(amount)
            case .saturation: image.adjustSaturation(amount)
            case .hue: image.adjustHue(amount)
            }
        }
    }

    func validate() throws(ImageError) {
        try ImageOperation.validate(probability: probability, of: "colour jitter")
        for (name, range) in [
            ("brightness", brightness), ("contrast", contrast), ("saturation", saturation),
        ] {
            try check(range, name, within: 0...1e6)
        }
        try check(hue, "hue", within: -0.5...0.5)
    }

    private func check(
        _ range: [Double]?,
        _ name: String,
        within bounds: ClosedRange<Double>
    ) throws(ImageError) {
        guard let range else { return }
        guard range.count == 2, range[0] <= range[1], range.allSatisfy(bounds.contains) else {
            throw .invalid(
                "the \(name) of colour jitter must be two ascending numbers from \(bounds.lowerBound) to "
                    + "\(bounds.upperBound), not \(range)"
            )
        }
    }
}
