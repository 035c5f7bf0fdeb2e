public import Checkpoints

/// Which of a model's outputs each class of a data set is.
public struct ClassMapping: Sendable, Equatable {
    /// The model's class for each class of the data.
    public let indices: [Int]

    /// Whether the classes were matched by their order, for want of names on one side.
    public let isByOrder: Bool

    /// Matches classes by name or identifier, such as a synset; the data may have fewer than the model.
    ///
    /// Where the model's or the data's classes have only numbers for names, as many on both sides, they are
    /// matched in their order.
    ///
    /// - Parameters:
    ///   - data: The names of the data's classes, such as those of its folders.
    ///   - labels: What the model's classes are called.
    /// - Throws: ``InferenceError/unknownClasses(data:model:hasIdentifiers:)`` that lists those without match.
    public init(of data: [String], in labels: ClassLabels) throws(InferenceError) {
        let found = data.map { labels.index(of: $0) }
        let known = found.compactMap { $0 }
        if known.count == data.count {
            indices = known
            isByOrder = false
            return
        }
        let numbers = labels.names.indices.map(String.init)
        if data.count == labels.names.count, labels.names == numbers || data == numbers {
            indices = Array(data.indices)
            isByOrder = true
            return
        }
        throw .unknownClasses(
            data: data.indices.filter { found[$0] == nil }.map { data[$0] },
            model: labels.names,
            hasIdentifiers: labels.identifiers != nil
        )
    }
}
