/// The nearest vectors to each of some queries, the nearest first.
public struct Neighbours: Sendable, Equatable {
    /// How many were found for each query: as many as were asked for, or all that there are.
    public let k: Int

    /// The places in the bank, `[queries, k]`, row by row.
    public let places: [Int]

    /// Their cosine similarities, -1 to 1, `[queries, k]`.
    public let similarities: [Float]

    /// The number of queries.
    public var count: Int { places.count / k }

    /// Where the neighbours of a query stand in ``places`` and ``similarities``.
    ///
    /// - Parameter query: The query.
    /// - Returns: `k` indices.
    public func range(of query: Int) -> Range<Int> { (query * k)..<((query + 1) * k) }
}
