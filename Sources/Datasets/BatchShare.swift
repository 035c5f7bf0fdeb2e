/// The part of every batch that one of several processes computes.
///
/// Together the processes take every image of the batch once, so a batch is the same with any number of them. An image and
/// its partner in Mixup and CutMix, which is its mirror in the batch, belong to the same process: process `rank` of `size`
/// takes the pairs from `rank / size` to `(rank + 1) / size` of all, and the last one the image in the middle of an odd batch.
public struct BatchShare: Sendable, Equatable {
    /// The process, from 0.
    public let rank: Int
    /// The number of processes, at least 1.
    public let size: Int

    /// Creates a share.
    ///
    /// - Parameters:
    ///   - rank: The process, from 0 to below `size`.
    ///   - size: The number of processes, at least 1.
    public init(rank: Int, size: Int) {
        self.size = max(1, size)
        self.rank = min(max(0, rank), self.size - 1)
    }

    /// The places in a batch that the process computes, ascending.
    ///
    /// - Parameter count: The number of images of the whole batch.
    /// - Returns: The places, from 0.
    public func places(inBatchOf count: Int) -> [Int] {
        let half = count / 2
        let pairs = (half * rank / size)..<(half * (rank + 1) / size)
        let middle = count % 2 == 1 && rank == size - 1 ? [half] : []
        return Array(pairs) + middle + pairs.reversed().map { count - 1 - $0 }
    }
}
