import Torch

/// A classifier without training: an image has the class that its nearest neighbours among labelled ones vote for.
///
/// ## Source
/// `dino/eval_knn.py, knn_classifier`, without its limits: there may be fewer than 100 queries, any number of classes, and
/// fewer vectors than neighbours are requested.
public struct KNNClassifier {
    /// The temperature of DINO's evaluation.
    public static let usualTemperature = 0.07

    /// The numbers of neighbours of DINO's evaluation.
    public static let usualCounts = [10, 20, 100, 200]

    /// The labelled vectors.
    public let bank: FeatureSet

    /// The temperature of votes: a neighbour's weight is `exp(cosine / temperature)`.
    public let temperature: Double

    /// Creates a classifier.
    ///
    /// - Parameters:
    ///   - bank: The labelled vectors, of at least two classes.
    ///   - temperature: The temperature of votes, above 0.
    /// - Throws: ``NeighbourError/oneClass``, ``NeighbourError/invalidTemperature(_:)``.
    public init(
        _ bank: FeatureSet,
        temperature: Double = KNNClassifier.usualTemperature
    ) throws(NeighbourError) {
        guard temperature > 0, temperature.isFinite else {
            throw .invalidTemperature(temperature)
        }
        guard bank.labels.contains(where: { $0 != bank.labels[0] }) else { throw .oneClass }
        self.bank = bank
        self.temperature = temperature
    }

    /// Measures how often the votes are right, for several numbers of neighbours in one search.
    ///
    /// - Parameters:
    ///   - queries: Labelled vectors of the same classes.
    ///   - counts: The numbers of neighbours, each at least 1; more than the bank has means all.
    /// - Returns: A measurement for each number, in their order.
    /// - Throws: ``NeighbourError``, `TorchError` without memory.
    public func accuracies(
        of queries: FeatureSet,
        k counts: [Int] = KNNClassifier.usualCounts
    ) throws -> [KNNAccuracy] {
        try accuracies(of: queries, k: counts, leavingOut: nil).accuracies
    }

    /// Which vectors of the bank are the query itself, and do not vote.
    public struct Itself {
        /// The most vectors of the bank that are one query itself, at least 0; more are not looked for.
        public let most: Int
        /// Whether a query, by its place, is a vector of the bank, by its place, given their cosine similarity.
        public let isSame: (_ query: Int, _ place: Int, _ similarity: Float) -> Bool

        /// Creates a rule.
        ///
        /// - Parameters:
        ///   - most: The most vectors of the bank that are one query itself.
        ///   - isSame: Whether a query is a vector of the bank, by their places and their cosine similarity.
        public init(
            most: Int,
            isSame: @escaping (_ query: Int, _ place: Int, _ similarity: Float) -> Bool
        ) {
            self.most = most
            self.isSame = isSame
        }
    }

    /// Measures how often the votes are right where some queries are in the bank themselves: those have no vote of their own.
    ///
    /// - Parameters:
    ///   - queries: Labelled vectors of the same classes.
    ///   - counts: The numbers of neighbours, each at least 1; more than the bank has means all.
    ///   - itself: Which vectors of the bank are a query itself; nil for none.
    /// - Returns: A measurement for each number, in their order, and how many queries are in the bank.
    /// - Throws: ``NeighbourError``, `TorchError` without memory.
    public func accuracies(
        of queries: FeatureSet,
        k counts: [Int],
        leavingOut itself: Itself?
    ) throws -> (accuracies: [KNNAccuracy], leftOut: Int) {
        for k in counts where k < 1 { throw NeighbourError.invalidCount(k) }
        guard let largest = counts.max() else { return ([], 0) }
        guard queries.classCount <= bank.classCount else {
            throw NeighbourError.invalidShape(
                "the queries have \(queries.classCount) classes, the bank \(bank.classCount)"
            )
        }
        let most = min(largest, bank.count)
        let neighbours = try bank.nearest(most + min(itself?.most ?? 0, bank.count), to: queries)
        var right = [(top1: Int, top5: Int)](repeating: (0, 0), count: counts.count)
        var votes = NeighbourVotes(classCount: bank.classCount, temperature: temperature)
        // Fewer neighbours are the first of more, so one pass over them serves all numbers.
        let order = counts.indices.sorted { counts[$0] < counts[$1] }
        var (leftOut, fewest) = (0, most)
        for query in 0..<neighbours.count {
            let range = neighbours.range(of: query)
            let others = range.filter { index in
                let (place, similarity) = (
                    neighbours.places[index], neighbours.similarities[index]
                )
                return !(itself?.isSame(query, place, similarity) ?? false)
            }
            if others.count < range.count { leftOut += 1 }
            fewest = min(fewest, others.count)
            // Nothing votes for an image that is all that there is.
            guard let nearest = others.first else { continue }
            var added = 0
            for index in order {
                let used = min(counts[index], most, others.count)
                while added < used {
                    add(neighbours, others[added], nearest: nearest, to: &votes)
                    added += 1
                }
                let rank = votes.rank(of: queries.labels[query])
                if rank < 1 { right[index].top1 += 1 }
                if rank < min(5, used) { right[index].top5 += 1 }
            }
            votes.reset()
        }
        let accuracies = counts.indices.map { index in
            KNNAccuracy(
                k: counts[index],
                used: min(counts[index], fewest),
                top1: Double(right[index].top1) / Double(neighbours.count),
                top5: Double(right[index].top5) / Double(neighbours.count)
            )
        }
        return (accuracies, leftOut)
    }

    /// Classifies vectors.
    ///
    /// - Parameters:
    ///   - queries: The vectors; their labels are ignored.
    ///   - k: How many neighbours vote, at least 1; all where there are fewer.
    /// - Returns: For each vector the classes that got votes, the largest share first; and the neighbours.
    /// - Throws: ``NeighbourError``, `TorchError` without memory.
    public func classify(
        _ queries: FeatureSet,
        k: Int
    ) throws -> (votes: [[NeighbourVote]], neighbours: Neighbours) {
        let neighbours = try bank.nearest(k, to: queries)
        var votes = NeighbourVotes(classCount: bank.classCount, temperature: temperature)
        let shares = (0..<neighbours.count).map { query in
            let range = neighbours.range(of: query)
            for index in range { add(neighbours, index, nearest: range.lowerBound, to: &votes) }
            defer { votes.reset() }
            return votes.shares
        }
        return (shares, neighbours)
    }

    private func add(
        _ neighbours: Neighbours,
        _ index: Int,
        nearest: Int,
        to votes: inout NeighbourVotes
    ) {
        votes.add(
            bank.labels[neighbours.places[index]],
            similarity: neighbours.similarities[index],
            nearest: neighbours.similarities[nearest]
        )
    }
}

/// How often the nearest neighbours of images vote for the right class.
public struct KNNAccuracy: Sendable, Equatable {
    /// The number of neighbours that was requested.
    public let k: Int

    /// The number that voted: all that there are where `k` is more.
    public let used: Int

    /// The share of queries whose class got the most votes, 0 to 1.
    public let top1: Double

    /// The share whose class is among the first five, or among as many as neighbours vote where that is fewer, 0 to 1.
    public let top5: Double
}
