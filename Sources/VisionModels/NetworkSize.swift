/// How large a network is.
///
/// In `Double`, which is exact for every network that fits a memory and cannot overflow for one that does not.
public struct NetworkSize: Sendable, Equatable {
    /// The number of numbers that training changes.
    public var parameters = 0.0

    /// The multiplications with an addition that one image takes: those of matrix products and convolutions.
    public var macs = 0.0

    /// The size of a network that cannot be made.
    static let unbounded = NetworkSize(parameters: .infinity, macs: .infinity)
}

/// Adds a network's layers up, from the image on.
struct NetworkSizeCount {
    private(set) var size = NetworkSize()

    /// The height and width of the maps, in pixels.
    private(set) var side: Double

    init(side: Int) { self.side = Double(side) }

    /// A convolution with a normalisation, which moves on to its output's size.
    mutating func convolution(
        _ inChannels: Int,
        _ outChannels: Int,
        kernel: Int,
        stride: Int = 1,
        groups: Int = 1
    ) {
        shrink(by: stride)
        let filters =
            Double(inChannels) / Double(max(groups, 1)) * Double(outChannels)
            * Double(kernel) * Double(kernel)
        size.parameters += filters + 2 * Double(outChannels)
        size.macs += filters * side * side
    }

    /// A convolution of 1×1 with a normalisation beside the way, whose output has the maps' present size.
    mutating func shortcut(_ inChannels: Int, _ outChannels: Int) {
        convolution(inChannels, outChannels, kernel: 1)
    }

    /// A linear layer with a bias, for each image once.
    mutating func linear(_ inFeatures: Int, _ outFeatures: Int) {
        size.parameters += (Double(inFeatures) + 1) * Double(outFeatures)
        size.macs += Double(inFeatures) * Double(outFeatures)
    }

    /// A layer without weights that only makes maps smaller; all are padded, so that an odd side is rounded up.
    mutating func shrink(by stride: Int) {
        side = (side / Double(max(stride, 1))).rounded(.up)
    }
}
