#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What a model said of images that have any number of labels, and what they have: average precisions, thresholds, F1.
///
/// ## Source
/// scikit-learn, `average_precision_score`, `precision_recall_fscore_support` and `f1_score`; a number that is not defined is
/// nil here, and left out of means.
public struct MultiLabelScores: Sendable, Equatable {
    /// The number of classes.
    public let classCount: Int
    /// The number of images.
    public private(set) var count = 0

    /// `[count, classes]`.
    private var logits: [Float] = []
    private var isPresent: [Bool] = []

    /// Nothing yet.
    ///
    /// - Parameter classes: The number of classes.
    public init(classes: Int) { classCount = classes }

    /// Adds images.
    ///
    /// - Parameters:
    ///   - logits: The outputs of the classes before the logistic function, `[labels.count, classes]`; one that is not a
    ///     number is behind all others.
    ///   - labels: The classes of each image.
    public mutating func add(logits: some Sequence<Float>, labels: [[Int]]) {
        self.logits += logits.lazy.map { $0.isNaN ? -.infinity : $0 }
        for labels in labels {
            let start = isPresent.count
            isPresent += repeatElement(false, count: classCount)
            for label in labels where (0..<classCount).contains(label) {
                isPresent[start + label] = true
            }
        }
        count += labels.count
    }

    /// The probability of a class for an image, 0 to 1.
    private func probability(_ place: Int) -> Double { Self.probability(of: logits[place]) }

    private static func probability(of logit: Float) -> Double { 1 / (1 + exp(-Double(logit))) }

    /// The images that have a class.
    ///
    /// - Parameter label: The class.
    /// - Returns: Their number.
    public func support(of label: Int) -> Int {
        (0..<count).count { isPresent[$0 * classCount + label] }
    }

    // MARK: - Average precision

    /// The precision of a class, averaged over the steps of its recall, 0 to 1.
    ///
    /// - Parameter label: The class.
    /// - Returns: The average; nil if no image has the class.
    public func averagePrecision(of label: Int) -> Double? {
        averagePrecision((0..<count).map { $0 * classCount + label })
    }

    /// The average precision of each class; nil for those that no image has.
    public var averagePrecisions: [Double?] { (0..<classCount).map(averagePrecision(of:)) }

    /// The mean average precision: the mean over the classes that images have, 0 to 1; nil where there are none.
    public var meanAveragePrecision: Double? { Self.mean(averagePrecisions.compactMap(\.self)) }

    /// The average precision of all decisions together, 0 to 1; nil where no image has a class.
    public var microAveragePrecision: Double? { averagePrecision(Array(logits.indices)) }

    /// Σ (recall - recall before) · precision, over the groups of equal scores from the highest down.
    private func averagePrecision(_ places: [Int]) -> Double? {
        let all = places.count { isPresent[$0] }
        guard all > 0 else { return nil }
        var (found, sum) = (0, 0.0)
        forEachCut(places) { _, right, taken, _ in
            sum += Double(right - found) / Double(all) * (Double(right) / Double(taken))
            found = right
        }
        return sum
    }

    /// Goes through the groups of equal scores from the highest down.
    ///
    /// - Parameters:
    ///   - places: The decisions.
    ///   - body: Gets the score of a group, how many decisions down to it are right, how many there are, and the next
    ///     lower score, nil after the last group.
    private func forEachCut(
        _ places: [Int],
        _ body: (_ score: Float, _ right: Int, _ taken: Int, _ next: Float?) -> Void
    ) {
        let order = places.sorted { logits[$0] > logits[$1] }
        var right = 0
        for (rank, place) in order.enumerated() {
            if isPresent[place] { right += 1 }
            let next = rank + 1 < order.count ? logits[order[rank + 1]] : nil
            if next == logits[place] { continue }
            body(logits[place], right, rank + 1, next)
        }
    }

    // MARK: - Decisions

    /// The probability from which each class is recognised with the highest F1 on these images.
    ///
    /// It is halfway between the last probability that counts and the next lower one; of equal F1 the fewest predictions
    /// win. A class that no image has gets one half.
    public var bestThresholds: [Double] {
        (0..<classCount).map { label in
            let support = support(of: label)
            guard support > 0 else { return 0.5 }
            var (best, threshold) = (-1.0, 0.5)
            forEachCut((0..<count).map { $0 * classCount + label }) { score, right, taken, next in
                let f1 = 2 * Double(right) / Double(support + taken)
                let (last, lower) = (Self.probability(of: score), next.map(Self.probability(of:)))
                // Large outputs may differ where their probabilities do not; only above 0 does a threshold tell anything.
                guard f1 > best, last > 0, last != lower else { return }
                best = f1
                threshold = max((last + (lower ?? 0)) / 2, .leastNonzeroMagnitude)
            }
            return threshold
        }
    }

    /// How well each class is recognised.
    ///
    /// - Parameter thresholds: The probability from which each class counts as recognised.
    /// - Returns: A score for each class.
    public func classScores(thresholds: [Double]) -> [ClassScore] {
        var scores = [ClassScore](repeating: ClassScore(), count: classCount)
        for image in 0..<count {
            for label in 0..<classCount {
                count(image, label, thresholds, in: &scores[label])
            }
        }
        return scores
    }

    private func count(
        _ image: Int,
        _ label: Int,
        _ thresholds: [Double],
        in score: inout ClassScore
    ) {
        let place = image * classCount + label
        let isPredicted = probability(place) >= thresholds[label]
        if isPresent[place] { score.support += 1 }
        if isPredicted { score.predicted += 1 }
        if isPredicted, isPresent[place] { score.right += 1 }
    }

    /// The mean F1 of the images, 0 to 1; scikit-learn's `f1_score(average="samples", zero_division=1)`.
    ///
    /// An image without labels for which none is predicted counts 1.
    ///
    /// - Parameter thresholds: The probability from which each class counts as recognised.
    /// - Returns: The mean; nil without images.
    public func samplesF1(thresholds: [Double]) -> Double? {
        Self.mean(
            (0..<count).map { image in
                var score = ClassScore()
                for label in 0..<classCount { count(image, label, thresholds, in: &score) }
                return score.f1 ?? 1
            }
        )
    }

    /// The share of images whose class with the highest score is one of theirs, 0 to 1; nil without images.
    public var topIsPresent: Double? {
        guard classCount > 0 else { return nil }
        return Self.mean(
            (0..<count).map { image in
                let range = (image * classCount)..<((image + 1) * classCount)
                guard let top = Scores.largest(logits[range]) else { return 0 }
                return isPresent[range.lowerBound + top] ? 1 : 0
            }
        )
    }

    /// The mean binary cross-entropy of all decisions, in nats; nil without images.
    public var loss: Double? {
        Self.mean(
            logits.indices.map { place in
                let logit = Double(logits[place])
                return max(logit, 0) - (isPresent[place] ? logit : 0) + log1p(exp(-abs(logit)))
            }
        )
    }

    /// The classes of an image that are predicted, and those that it has.
    ///
    /// - Parameters:
    ///   - image: The image, from 0 up to, but not including, ``count``.
    ///   - thresholds: The probability from which each class counts as recognised.
    /// - Returns: The predicted classes with their probabilities, the right classes, both in the order of the classes.
    public func decisions(
        of image: Int,
        thresholds: [Double]
    ) -> (predicted: [(label: Int, probability: Double)], labels: [Int]) {
        let start = image * classCount
        let probabilities = (0..<classCount).map { probability(start + $0) }
        return (
            (0..<classCount).filter { probabilities[$0] >= thresholds[$0] }
                .map { ($0, probabilities[$0]) },
            (0..<classCount).filter { isPresent[start + $0] }
        )
    }

    private static func mean(_ values: [Double]) -> Double? {
        values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }
}

extension [ClassScore] {
    /// The F1 of all decisions together, 0 to 1; scikit-learn's `f1_score(average="micro")`, nil without labels and
    /// predictions.
    public var microF1: Double? {
        reduce(into: ClassScore()) { sum, score in
            sum.support += score.support
            sum.predicted += score.predicted
            sum.right += score.right
        }.f1
    }
}
