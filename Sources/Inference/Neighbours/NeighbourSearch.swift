import Torch
import TorchNN

extension FeatureSet {
    /// The queries that one thread works on at a time.
    private static let queryBlock = 256

    /// The vectors of the bank that they are compared with at once.
    private static let bankBlock = 2048

    /// Finds the vectors of this set that are nearest to each vector of another, exactly.
    ///
    /// Every query is compared with every vector, block by block: beside the two sets and the result, each thread holds
    /// 2 MiB of similarities, however many vectors there are. Of equal similarities the earlier place is nearer, so that
    /// the result does not depend on threads.
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
        let blocks = try withoutGradient { () throws(TorchError) in
            try parallelMap(starts.count) { index throws(TorchError) in
                let end = min(starts[index] + Self.queryBlock, queries.count)
                return try self.search(k, queries.vectors.narrowed(0, starts[index]..<end))
            }
        }
        var places: [Int] = []
        var similarities: [Float] = []
        places.reserveCapacity(queries.count * k)
        similarities.reserveCapacity(queries.count * k)
        for block in blocks {
            try block.withBytes { bytes in
                let values = bytes.bindMemory(to: Double.self)
                places += values.prefix(values.count / 2).map { Int($0) }
                similarities += values.dropFirst(values.count / 2).map { Float($0) }
            }
        }
        return Neighbours(k: k, places: places, similarities: similarities)
    }

    /// The neighbours of a block of queries.
    ///
    /// - Returns: `[2, queries, k]` of `float64`, which holds places and similarities exactly.
    private func search(_ k: Int, _ queries: Tensor) throws(TorchError) -> Tensor {
        let rows = queries.shape[0]
        var heaps = NeighbourHeaps(count: rows, k: k)
        let usesOneDNN = ComputePolicy.current.linear == .oneDNN
        for start in stride(from: 0, to: count, by: Self.bankBlock) {
            let block = try vectors.narrowed(0, start..<min(start + Self.bankBlock, count))
            let products =
                try usesOneDNN
                ? Functional.linearOneDNN(queries, block, nil)
                : Functional.linear(queries, block, nil)  // [rows, block]
            let read: Void? = try products.contiguous().withMutableBytes { bytes in
                heaps.add(UnsafeBufferPointer(bytes.bindMemory(to: Float.self)), firstPlace: start)
            }
            guard read != nil else {
                throw TorchError(operation: "neighbours", message: "similarities cannot be read")
            }
        }
        let result = try Tensor(unwritten: [2, rows, k], dtype: .float64)
        _ = result.withMutableBytes { bytes in
            heaps.write(to: bytes.bindMemory(to: Double.self))
        }
        return result
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
