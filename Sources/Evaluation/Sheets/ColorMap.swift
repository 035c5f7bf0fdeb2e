/// A row of colours for numbers, in which equal steps look equally large and larger numbers look brighter.
///
/// Both maps keep their order in grey and for readers who see no difference between red and green. They are drawn
/// between ten colours each; nothing between them differs visibly from the original tables of 256.
///
/// ## Source
/// Smith and van der Walt, "A Better Default Colormap for Matplotlib" (SciPy 2015), whose tables are in the public domain
/// (CC0).
public enum ColorMap: String, Sendable, CaseIterable {
    /// Dark violet over green to yellow: for numbers in tables and charts.
    case viridis
    /// Black over red to pale yellow: for heat maps over images, where nothing is to be black.
    case inferno

    /// The colour of a number.
    ///
    /// - Parameter value: From 0, the darkest, to 1, the brightest; what is beyond is cut off, NaN counts as 0.
    /// - Returns: Red, green and blue.
    public func callAsFunction(_ value: Double) -> SIMD3<UInt8> {
        let anchors = anchors
        let last = anchors.count - 1
        let place = (value.isNaN ? 0 : min(max(value, 0), 1)) * Double(last)
        let below = min(Int(place), last - 1)
        let share = place - Double(below)
        let (one, other) = (Self.parts(anchors[below]), Self.parts(anchors[below + 1]))
        let mixed = one + (other - one) * share
        return SIMD3<UInt8>(mixed, rounding: .toNearestOrAwayFromZero)
    }

    private static func parts(_ colour: UInt32) -> SIMD3<Double> {
        SIMD3(Double(colour >> 16 & 0xFF), Double(colour >> 8 & 0xFF), Double(colour & 0xFF))
    }

    /// Colours at equal distances, `0xRRGGBB`.
    private var anchors: [UInt32] {
        switch self {
        case .viridis:
            [
                0x440154, 0x482878, 0x3E4A89, 0x31688E, 0x26828E, 0x1F9E89, 0x35B779, 0x6DCD59,
                0xB4DE2C, 0xFDE725,
            ]
        case .inferno:
            [
                0x000004, 0x1B0C42, 0x4B0C6B, 0x781C6D, 0xA52C60, 0xCF4446, 0xED6925, 0xFB9A06,
                0xF7D03C, 0xFCFFA4,
            ]
        }
    }
}
