/// The families of networks that are built here.
package enum ModelFamilies {
    /// All of them, one line each; of two that could take a file for theirs the first does.
    package static let all: [any ModelFamily] = [
        TransformerFamily(),
        ResNetFamily(),
        RegNetFamily(),
        EfficientNetFamily(),
    ]

    /// The family of a configuration; nil for one of a network that is not built here.
    package static func family(of configuration: ModelConfiguration) -> (any ModelFamily)? {
        all.first { $0.isFamily(of: configuration) }
    }

    /// The names of all families' classifiers, such as `head` and `fc`.
    package static let heads: [String] = all.flatMap(\.heads)

    /// A network by a name in some family's grammar.
    package static func model(named name: String) -> NamedModel? {
        all.lazy.compactMap { $0.model(named: name) }.first
    }

    /// A sentence about a part of a file's network that no network here has.
    ///
    /// - Parameter keys: The file's keys, in timm's names.
    /// - Returns: The sentence; nil where there is no such part.
    package static func foreignPart(_ keys: some Sequence<String>) -> String? {
        let keys = Array(keys)
        return all.lazy.compactMap { $0.foreignPart(keys) }.first
    }
}
