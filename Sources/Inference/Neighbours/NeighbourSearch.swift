import Torch
import TorchNN

extension FeatureSet {
    /// The queries that one thread works on at a time.
    private static let queryBlock = 256

    /// The vectors of the bank that they are compared with at once.
    private static let bankBlock = 2048

    /// The vectors of the bank that another device than the CPU holds at a time: 400 MB of 384 numbers each.
    private static let devicePart = 1 << 18

    /// Finds the vectors of this set that are nearest to each vector of another, exactly.
    ///
    /// Every query is compared with every vector, block by block: beside the two sets and the result, each thread holds
    /// 2 MiB of similarities, however many vectors there are. Of equal similarities the earlier place is nearer, so that
    /// the result does not depend on threads. Products are computed on the device of the current policy, which holds a
    /// part of the bank at a time; what is nearest is found on the CPU.
    ///
    /// - Parameters:
    ///   - k: How many, at least 1; all where there are fewer.
    ///   - queries: The vectors to find neighbours of.
    /// - Returns: The neighbours; `Neighbours.k` tells how many each has.
    /// - Throws: ``NeighbourError/differentWidths(bank:queries:)``, ``NeighbourError/invalidCount(_:)``, `TorchError`
    ///   without memory.
    public func nearest(_ k: Int, to queries: FeatureSet) throws -> Neighbours {
        guard k > 0 else { throw NeighbourError.invalidCount(k) }
        guard queries.width == width else {
            throw NeighbourError.differentWidths(bank: width, queries: queries.width)
        }
        let k = min(k, count)
        let starts = Array(stride(from: 0, to: queries.count, by: Self.queryBlock))
        let blocks = starts.map { $0..<min($0 + Self.queryBlock, queries.count) }
        let device = ComputePolicy.current.device
        var heaps = blocks.map { NeighbourHeaps(count: $0.count, k: k) }
        let part = device == .cpu ? count : Self.devicePart
        for start in stride(from: 0, to: count, by: part) {
            heaps = try withoutGradient { () throws(TorchError) in
                let bank = try vectors.narrowed(0, start..<min(start + part, count)).to(device)
                return try parallelMap(blocks.count) { index throws(TorchError) in
                    var found = heaps[index]
                    let asked = try queries.vectors.narrowed(0, blocks[index]).to(device)
                    try Self.search(bank, firstPlace: start, asked, &found)
                    return found
                }
            }
        }
        var places: [Int] = []
        var similarities: [Float] = []
        places.reserveCapacity(queries.count * k)
        similarities.reserveCapacity(queries.count * k)
        for block in heaps { block.append(to: &places, &similarities) }
        return Neighbours(k: k, places: places, similarities: similarities)
    }

    /// Offers the vectors of a part of the bank to a block of queries on the same device.
    private static func search(
        _ bank: Tensor,
        firstPlace: Int,
        _ queries: Tensor,
        _ heaps: inout NeighbourHeaps
    ) throws(TorchError) {
        let usesOneDNN = ComputePolicy.current.linear == .oneDNN && bank.device == .cpu
        let count = bank.shape[0]
        for start in stride(from: 0, to: count, by: bankBlock) {
            let block = try bank.narrowed(0, start..<min(start + bankBlock, count))
            let products =
                try usesOneDNN
                ? Functional.linearOneDNN(queries, block, nil)
                : Functional.linear(queries, block, nil)  // [rows, block]
            let read: Void? = try products.to(Device.cpu).contiguous().withMutableBytes { bytes in
                heaps.add(
                    UnsafeBufferPointer(bytes.bindMemory(to: Float.self)),
                    firstPlace: firstPlace + start
                )
            }
            guard read != nil else {
                throw TorchError(operation: "neighbours", message: "similarities cannot be read")
            }
        }
    }
}

/// The nearest vectors to each of some queries, the nearest first.
public struct Neighbours: Sendable, Equatable {
    /// How many were found for each query: as many as were requested, or all that there are.
    public let k: Int

    /// The places in the bank, `[queries, k]`, row by row.
    public let places: [Int]

    /// Their cosine similarities, -1 to 1, `[queries, k]`.
    public let similarities: [Float]

    /// The number of queries.
    public var count: Int { places.count / k }

    /// The positions of a query's neighbours in ``places`` and ``similarities``.
    ///
    /// - Parameter query: The query.
    /// - Returns: `k` indices.
    public func range(of query: Int) -> Range<Int> { (query * k)..<((query + 1) * k) }
}
