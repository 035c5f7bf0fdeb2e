/// How often the nearest neighbours of images vote for the right class.
public struct KNNAccuracy: Sendable, Equatable {
    /// The number of neighbours that was asked for.
    public let k: Int

    /// The number that voted: all that there are where `k` is more.
    public let used: Int

    /// The share of queries whose class got the most votes, 0 to 1.
    public let top1: Double

    /// The share whose class is among the first five, or among as many as neighbours vote where that is fewer, 0 to 1.
    public let top5: Double
}
