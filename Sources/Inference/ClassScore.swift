/// How well one class is recognised: precision, recall, F1 and support.
///
/// ## Source
/// scikit-learn, `precision_recall_fscore_support`; a number that its `zero_division` replaces is nil here.
public struct ClassScore: Sendable, Equatable, Codable {
    /// The images of the class.
    public var support = 0
    /// The images for which the class was predicted.
    public var predicted = 0
    /// The images of the class for which it was predicted.
    public var right = 0

    /// Creates a score.
    ///
    /// - Parameters:
    ///   - support: The images of the class.
    ///   - predicted: The images for which the class was predicted.
    ///   - right: The images of the class for which it was predicted.
    public init(support: Int = 0, predicted: Int = 0, right: Int = 0) {
        self.support = support
        self.predicted = predicted
        self.right = right
    }

    /// The fraction of predictions of the class that are right, 0 to 1; nil if it was never predicted.
    public var precision: Double? { predicted == 0 ? nil : Double(right) / Double(predicted) }

    /// The fraction of the class's images that were recognised, 0 to 1; nil if it has no images.
    public var recall: Double? { support == 0 ? nil : Double(right) / Double(support) }

    /// The harmonic mean of precision and recall, 0 to 1; nil if the class has no images and was never predicted.
    public var f1: Double? {
        let sum = support + predicted
        return sum == 0 ? nil : 2 * Double(right) / Double(sum)
    }
}

extension [ClassScore] {
    /// Counts predictions of as many classes as there are scores.
    ///
    /// - Parameters:
    ///   - label: The right class.
    ///   - prediction: The predicted class; any other number for a class that has no score.
    package mutating func count(label: Int, prediction: Int) {
        self[label].support += 1
        if indices.contains(prediction) { self[prediction].predicted += 1 }
        if label == prediction { self[label].right += 1 }
    }

    /// The mean F1 of the classes that have images or predictions, 0 to 1; scikit-learn's `f1_score(average="macro")`.
    public var macroF1: Double { Self.mean(compactMap(\.f1)) }

    /// The mean recall of the classes that have images, 0 to 1; scikit-learn's `balanced_accuracy_score`.
    public var balancedAccuracy: Double { Self.mean(compactMap(\.recall)) }

    private static func mean(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
    }
}
