#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Counts of right predictions and the sum of losses over some images.
package struct Scores: Sendable, Equatable {
    package var top1 = 0
    package var top5 = 0
    package var loss = 0.0
    package var count = 0

    package init() {}

    /// Adds a batch.
    ///
    /// - Parameters:
    ///   - logits: The scores of the classes, `[labels.count, classes]`.
    ///   - classes: The number of classes.
    ///   - labels: The right classes.
    package mutating func add(_ logits: [Float], classes: Int, labels: [Int]) {
        for (row, label) in labels.enumerated() {
            let scores = logits[(row * classes)..<((row + 1) * classes)]
            let rank = Self.rank(of: label, in: scores)
            if rank < 1 { top1 += 1 }
            if rank < 5 { top5 += 1 }
            loss += Self.crossEntropy(of: label, in: scores)
            count += 1
        }
    }

    /// How many classes are ahead of one; of equal scores the first is ahead, and one that is not a number is
    /// behind all.
    package static func rank(of label: Int, in scores: ArraySlice<Float>) -> Int {
        let own = scores[scores.startIndex + label]
        guard !own.isNaN else { return scores.count - 1 }
        var rank = 0
        for (index, score) in scores.enumerated() where index != label {
            if score > own || score.isNaN || (score == own && index < label) { rank += 1 }
        }
        return rank
    }

    /// The place of the largest score, of equal ones the first; nil where none is a number.
    package static func largest(_ scores: ArraySlice<Float>) -> Int? {
        var best: (place: Int, score: Float)?
        for (place, score) in scores.enumerated() where !score.isNaN {
            if let known = best, known.score >= score { continue }
            best = (place, score)
        }
        return best?.place
    }

    /// `log Σ exp(score) - score[label]`, in nats.
    static func crossEntropy(of label: Int, in scores: ArraySlice<Float>) -> Double {
        let largest = Double(scores.max() ?? 0)
        let sum = scores.reduce(0) { $0 + exp(Double($1) - largest) }
        return log(sum) + largest - Double(scores[scores.startIndex + label])
    }
}
