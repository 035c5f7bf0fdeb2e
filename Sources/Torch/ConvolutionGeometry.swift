/// How the places of a 2-D convolution lie.
public struct ConvolutionGeometry: Sendable, Equatable {
    /// The distance between two places of a filter, in pixels.
    public var stride: Int

    /// The zeros added on each side, in pixels.
    public var padding: Int

    /// The number of groups of channels that do not see each other.
    public var groups: Int

    /// Creates a geometry.
    public init(stride: Int = 1, padding: Int = 0, groups: Int = 1) {
        self.stride = stride
        self.padding = padding
        self.groups = groups
    }
}
