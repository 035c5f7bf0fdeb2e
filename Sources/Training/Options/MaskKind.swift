/// How the hidden patches of an image lie.
public enum MaskKind: String, Codable, Sendable, CaseIterable {
    /// Squares of some patches, anywhere: SimMIM's.
    case random
    /// Rectangles of many sizes until enough is hidden: BEiT's.
    case block
}
