import Foundation

/// How much the nearest neighbours of an image speak for one class.
public struct NeighbourVote: Sendable, Equatable {
    /// The class.
    public let label: Int

    /// Its share of all votes, 0 to 1.
    public let share: Double
}

/// The votes of neighbours, weighted by `exp(similarity / temperature)`.
///
/// ## Source
/// Wu, Xiong, Yu, Lin, "Unsupervised Feature Learning via Non-Parametric Instance Discrimination" (CVPR 2018), section
/// 3.4; `dino/eval_knn.py, knn_classifier`.
struct NeighbourVotes {
    let temperature: Double

    /// The votes by class, and the classes that got any, in the order in which they got them.
    private var votes: [Double]
    private var classes: [Int] = []

    init(classCount: Int, temperature: Double) {
        self.temperature = temperature
        votes = Array(repeating: 0, count: classCount)
    }

    /// Adds one neighbour's vote.
    ///
    /// - Parameters:
    ///   - label: Its class.
    ///   - similarity: Its cosine.
    ///   - nearest: The largest cosine of the query. All weights are divided by that one's, which changes no
    ///     share and keeps them from overflow at any temperature.
    mutating func add(_ label: Int, similarity: Float, nearest: Float) {
        if votes[label] == 0 { classes.append(label) }
        // A vote of 0, by underflow, would enter its class twice.
        let weight = exp((Double(similarity) - Double(nearest)) / temperature)
        votes[label] += max(weight, .leastNormalMagnitude)
    }

    /// How many classes are ahead of one; of equal votes, none among them, the first class is ahead.
    func rank(of label: Int) -> Int {
        let own = votes[label]
        guard own > 0 else {
            // All that have votes, and of those without the ones before.
            return classes.count + label - classes.count { $0 < label }
        }
        return classes.count { votes[$0] > own || (votes[$0] == own && $0 < label) }
    }

    /// All classes with votes, the largest share first.
    var shares: [NeighbourVote] {
        let sum = classes.reduce(0) { $0 + votes[$1] }
        return classes.map { NeighbourVote(label: $0, share: votes[$0] / sum) }.sorted {
            ($1.share, $0.label) < ($0.share, $1.label)
        }
    }

    /// Forgets all votes.
    mutating func reset() {
        for label in classes { votes[label] = 0 }
        classes.removeAll(keepingCapacity: true)
    }
}
