public import Datasets

/// A model that cannot answer what is asked of it.
public enum InferenceError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The data has classes that the model does not tell apart.
    case unknownClasses(data: [String], model: [String], hasIdentifiers: Bool)

    /// No image of the data could be read.
    case nothingToMeasure(SkippedImages)

    /// An image cannot be read or decoded.
    case unreadableImage(file: String, reason: String)

    /// The model names no classes: its checkpoint has no classifier.
    case noClassifier(path: String)

    /// The model does not have what was asked of it.
    case noSuchFeature(String)

    /// Images that may have several labels, where one class an image is needed.
    case severalLabels

    /// Features of a kind that the file's format does not hold.
    case notInFormat(String)

    /// One sentence: what is wrong and what to do.
    public var description: String {
        switch self {
        case .unknownClasses(let data, let model, let hasIdentifiers):
            let synsets = data.allSatisfy { $0.count == 9 && $0.hasPrefix("n") }
            let advice =
                synsets && !hasIdentifiers
                ? "the folders are named after ImageNet synsets: pass --labels FILE, "
                    + "with one line per output of the model: synset and class name"
                : "rename the folders, or name the model's classes with --labels FILE"
            return "the data has classes that the model does not know: \(listed(data, limit: 20)); "
                + "the model has \(described(model)); \(advice)"
        case .nothingToMeasure(let skipped):
            let subject =
                skipped.count == 1
                ? "the only image cannot" : "none of \(skipped.count) images can"
            return "\(subject) be read: \(skipped.listing)"
        case .unreadableImage(let file, let reason):
            return "\(file) cannot be used: \(reason)"
        case .noClassifier(let path):
            return "\(path) has no classifier, so it cannot predict classes; "
                + "use `deit features`, or train a classifier with `deit finetune`"
        case .severalLabels:
            return
                "nearest neighbours, a linear probe and indexes need one class an image, and these images may have several; "
                + "evaluate the classifier instead"
        case .noSuchFeature(let text), .notInFormat(let text):
            return text
        }
    }

    private func described(_ classes: [String]) -> String {
        if classes == classes.indices.map(String.init) {
            return "\(classes.count) unnamed classes"
        }
        return "\(classes.count) classes: \(listed(classes, limit: 10))"
    }

    /// The first names and how many more there are; names may hold commas.
    private func listed(_ names: [String], limit: Int) -> String {
        let separator = names.contains { $0.contains(",") } ? " | " : ", "
        let shown = names.prefix(limit).joined(separator: separator)
        return names.count > limit ? "\(shown) and \(names.count - limit) more" : shown
    }
}
