/// How an image's samples are weighed when its size changes; the names are those of Pillow.
public enum Interpolation: String, Sendable, Equatable, Codable, CaseIterable {
    /// The sample whose area holds the centre of the new one.
    case nearest
    /// A triangle, one sample wide to each side and wider when the image shrinks.
    case bilinear
    /// Keys' cubic with a = -0.5, two samples wide to each side and wider when the image shrinks.
    case bicubic

    /// Draws bilinear or bicubic, as timm does for `random`.
    static func drawn(using generator: inout SplitMix64) -> Interpolation {
        generator.integer(below: 2) == 0 ? .bilinear : .bicubic
    }

    /// The filter's reach to one side, in samples of the larger image.
    var support: Double {
        switch self {
        case .nearest: 0
        case .bilinear: 1
        case .bicubic: 2
        }
    }

    /// The filter's value at a distance from its centre.
    func weight(_ distance: Double) -> Double {
        let x = abs(distance)
        switch self {
        case .nearest:
            return x <= 0.5 ? 1 : 0
        case .bilinear:
            return x < 1 ? 1 - x : 0
        case .bicubic:
            let a = -0.5
            if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
            if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
            return 0
        }
    }
}
