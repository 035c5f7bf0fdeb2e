import Torch

/// A classifier without training: a picture has the class that its nearest neighbours among labelled ones vote for.
///
/// ## Source
/// `dino/eval_knn.py, knn_classifier`, without its limits: there may be fewer than 100 queries, any number of classes, and
/// fewer vectors than neighbours are asked for.
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
    ///   - counts: The numbers of neighbours, each at least 1; more than the bank has stands for all.
    /// - Returns: A measurement for each number, in their order.
    /// - Throws: ``NeighbourError``, `TorchError` without memory.
    public func accuracies(
        of queries: FeatureSet,
        k counts: [Int] = KNNClassifier.usualCounts
    ) throws -> [KNNAccuracy] {
        for k in counts where k < 1 { throw NeighbourError.invalidCount(k) }
        guard let largest = counts.max() else { return [] }
        guard queries.classCount <= bank.classCount else {
            throw NeighbourError.invalidShape(
                "the queries have \(queries.classCount) classes, the bank \(bank.classCount)"
            )
        }
        let neighbours = try bank.nearest(largest, to: queries)
        var right = [(top1: Int, top5: Int)](repeating: (0, 0), count: counts.count)
        var votes = NeighbourVotes(classCount: bank.classCount, temperature: temperature)
        // Fewer neighbours are the first of more, so one pass over them serves all numbers.
        let order = counts.indices.sorted { counts[$0] < counts[$1] }
        for query in 0..<neighbours.count {
            let range = neighbours.range(of: query)
            var added = 0
            for index in order {
                let used = min(counts[index], neighbours.k)
                while added < used {
                    add(neighbours, range.lowerBound + added, nearest: range.lowerBound, to: &votes)
                    added += 1
                }
                let rank = votes.rank(of: queries.labels[query])
                if rank < 1 { right[index].top1 += 1 }
                if rank < min(5, used) { right[index].top5 += 1 }
            }
            votes.reset()
        }
        return counts.indices.map { index in
            KNNAccuracy(
                k: counts[index],
                used: min(counts[index], neighbours.k),
                top1: Double(right[index].top1) / Double(neighbours.count),
                top5: Double(right[index].top5) / Double(neighbours.count)
            )
        }
    }

    /// Classifies vectors.
    ///
    /// - Parameters:
    ///   - queries: The vectors; their labels are not looked at.
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
