package import ImagePipeline
package import Storage

/// All that the package knows of a kind of network beside the network itself.
///
/// A family is a folder with a network, its configuration and this, and a line in ``ModelFamilies/all``; nothing outside
/// the folder names it. Most requirements have a default.
package protocol ModelFamily: Sendable {
    /// What the family's networks are made from.
    associatedtype Configuration: NetworkConfiguration

    /// The networks that can be made by name.
    var presets: [ModelRegistry.Preset] { get }

    /// The weights that others published, by the names of presets and by their own.
    var published: [String: PublishedWeights] { get }

    /// The full names of the published weights of a preset, where the family knows all of them, the usual ones first.
    func weights(of preset: String) -> [String]

    // MARK: The names of tensors

    /// The first layers by which a file's network is known to be one of these, in the names of all libraries.
    var anchors: [NetworkAnchor] { get }

    /// What classifiers are called, the one of the prediction first.
    var heads: [String] { get }

    /// What the names before the first block begin with.
    var stems: [String] { get }

    /// What the names of the layers between the last block and the classifier begin with.
    var tails: [String] { get }

    /// The names of another library than timm.
    ///
    /// - Parameter tensors: The names without what wrappers put before them, and the shapes.
    /// - Returns: The names; nil for a file whose names are timm's.
    func otherNames(_ tensors: [(name: String, shape: [Int])]) -> (any TensorNames)?

    /// The names that timm gives to the tensors of a network, where they are not the keys here.
    ///
    /// - Parameter configuration: A network that timm has.
    /// - Returns: The names; nil where they are the keys.
    func timmNames(of configuration: Configuration) -> (any TensorNames)?

    /// The key here of a tensor by a name that is timm's but for older spellings.
    func key(of name: String) -> String

    // MARK: Recognition

    /// A network by a name in timm's grammar, such as `vit_tiny_patch16_224.augreg_in21k_ft_in1k`.
    func model(named name: String) -> NamedModel?

    /// The network that the names beside bare weights tell.
    ///
    /// - Parameters:
    ///   - clues: The names.
    ///   - weights: The weights, with which a name must agree.
    /// - Returns: The network of the first name that is one's; nil where there is none.
    func model(in clues: CheckpointClues, _ weights: StoredWeights) -> NamedModel?

    /// The configuration of bare weights.
    ///
    /// - Parameters:
    ///   - weights: The names and shapes of the tensors.
    ///   - named: What names beside the weights tell.
    ///   - clues: What else stands beside the weights.
    ///   - imageSize: The images' size, where the user says it.
    /// - Returns: The configuration and what had to be assumed; nil for weights of another family.
    /// - Throws: `StorageError` for weights of a network of the family that is not built here.
    func recognize(
        _ weights: StoredWeights,
        named: NamedModel?,
        _ clues: CheckpointClues,
        imageSize: ImageSize?
    ) throws(StorageError) -> RecognizedModel?

    /// A sentence about a part of a file's network that the family's networks do not have.
    ///
    /// - Parameter keys: The file's keys, in timm's names.
    /// - Returns: The sentence; nil where there is no such part.
    func foreignPart(_ keys: [String]) -> String?

    /// Whether a network is a preset's, but for what matters in training only.
    func isPreset(_ preset: Configuration, _ found: Configuration) -> Bool

    // MARK: config.json

    /// The network in timm's words.
    ///
    /// - Parameters:
    ///   - configuration: The network.
    ///   - preset: The name that it came with.
    /// - Returns: The fields.
    func timmFields(of configuration: Configuration, preset: String?) -> TimmFields

    /// The network that the fields of this library beside timm's tell by themselves; nil where they do not.
    func configuration(own: ConfigurationFields) throws(StorageError) -> Configuration?

    /// The network of a name in timm's `config.json`, with what the file says otherwise.
    func configuration(
        _ named: Configuration,
        in file: TimmFile
    ) throws(StorageError) -> Configuration

    /// Why timm's form cannot hold a network; nil where it can.
    func timmRefusal(of configuration: Configuration) -> String?

    /// Why Hugging Face's form cannot hold a network; nil where it can.
    func huggingFaceRefusal(of configuration: Configuration) -> String?

    // MARK: Images

    /// How images were made for published weights.
    ///
    /// - Parameters:
    ///   - model: The weights by their name.
    ///   - size: The size of the input.
    /// - Returns: The processor; nil where it is not known.
    /// - Throws: `ImageError` for a size that no image has.
    func processor(
        for model: NamedModel,
        size: ImageSize
    ) throws(ImageError) -> ImageProcessor?
}

/// The fields of a configuration file, read with the errors of files.
package typealias ConfigurationFields = JSONObjectFields<StorageError>

extension ModelFamily {
    package var published: [String: PublishedWeights] { [:] }
    package func weights(of preset: String) -> [String] { [] }
    package var tails: [String] { [] }
    package func otherNames(_ tensors: [(name: String, shape: [Int])]) -> (any TensorNames)? { nil }
    package func timmNames(of configuration: Configuration) -> (any TensorNames)? { nil }
    package func key(of name: String) -> String { name }
    package func foreignPart(_ keys: [String]) -> String? { nil }
    package func isPreset(_ preset: Configuration, _ found: Configuration) -> Bool {
        preset == found
    }
    package func configuration(own: ConfigurationFields) throws(StorageError) -> Configuration? {
        nil
    }
    package func timmRefusal(of configuration: Configuration) -> String? { nil }

    /// A preset's name, with or without the name of a training.
    package func model(named name: String) -> NamedModel? {
        let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
        guard let preset = presets.first(where: { $0.name == name || $0.name == parts.first })
        else { return nil }
        return NamedModel(
            name: preset.name,
            tag: preset.name == name ? nil : parts.last,
            configuration: preset.configuration
        )
    }
}

// The same of a configuration of whichever family: nil, or nothing refused, for one of another.
extension ModelFamily {
    package func isFamily(of configuration: ModelConfiguration) -> Bool {
        configuration.network is Configuration
    }

    package func isPreset(_ preset: ModelConfiguration, _ found: ModelConfiguration) -> Bool {
        guard let preset = preset.network as? Configuration,
            let found = found.network as? Configuration
        else { return false }
        return isPreset(preset, found)
    }

    package func timmFields(
        of configuration: ModelConfiguration,
        preset: String?
    ) -> TimmFields? {
        (configuration.network as? Configuration).map { timmFields(of: $0, preset: preset) }
    }

    package func model(own: ConfigurationFields) throws(StorageError) -> ModelConfiguration? {
        try configuration(own: own).map { ModelConfiguration($0) }
    }

    package func model(
        _ named: ModelConfiguration,
        in file: TimmFile
    ) throws(StorageError) -> ModelConfiguration {
        guard let network = named.network as? Configuration else { return named }
        return ModelConfiguration(try configuration(network, in: file))
    }

    package func timmRefusal(of configuration: ModelConfiguration) -> String? {
        (configuration.network as? Configuration).flatMap { timmRefusal(of: $0) }
    }

    package func timmNames(of configuration: ModelConfiguration) -> (any TensorNames)? {
        (configuration.network as? Configuration).flatMap { timmNames(of: $0) }
    }

    package func huggingFaceRefusal(of configuration: ModelConfiguration) -> String? {
        (configuration.network as? Configuration).flatMap { huggingFaceRefusal(of: $0) }
    }
}

/// A first layer, by which a network is found in a file, and what a network that begins with it calls its classifier.
package struct NetworkAnchor: Sendable {
    package let name: String

    /// What a name in the same network begins with, where the first layer's name alone is not enough.
    package let companion: String?

    package let head: String

    package init(_ name: String, companion: String? = nil, head: String) {
        (self.name, self.companion, self.head) = (name, companion, head)
    }
}

/// Whose names the tensors of a file have.
package struct NameScheme: Sendable, Equatable {
    /// The library, as a sentence has it: "timm's".
    package let words: String

    package init(_ words: String) { self.words = words }

    /// The names that are the keys here.
    package static let timm = NameScheme("timm's")

    /// The names of transformers.
    package static let huggingFace = NameScheme("Hugging Face's")
}

/// A network by a name in timm's grammar.
package struct NamedModel: Sendable, Equatable {
    /// The name without the training.
    package let name: String

    /// Which training the weights come from, such as `augreg_in21k_ft_in1k`; nil where the name does not say.
    package var tag: String?

    /// What timm makes of the name.
    package let configuration: ModelConfiguration

    /// Where the name was read, such as "the file's name"; nil where nobody read it.
    package var source: String?

    /// Whether it is the name of a file of the authors' own code, whose images may be made otherwise than timm's.
    package var isAuthors: Bool

    package init(
        name: String,
        tag: String?,
        configuration: ModelConfiguration,
        source: String? = nil,
        isAuthors: Bool = false
    ) {
        (self.name, self.tag) = (name, tag)
        (self.configuration, self.source) = (configuration, source)
        self.isAuthors = isAuthors
    }

    /// The name with the training.
    package var fullName: String { name + (tag.map { ".\($0)" } ?? "") }
}

/// What stands beside bare weights and helps to understand them.
package struct CheckpointClues: Sendable {
    /// Names that may be those of networks and where they were read, the most trusted first.
    package let names: [(name: String, source: String)]

    /// The side of images that the training was given; nil where it does not say.
    package let inputSize: Int?

    package init(names: [(name: String, source: String)], inputSize: Int?) {
        (self.names, self.inputSize) = (names, inputSize)
    }
}

/// The names and shapes of a file's tensors, in timm's names.
package struct StoredWeights: Sendable {
    /// The file, for errors.
    package let file: String

    /// Whose names they had.
    package let scheme: NameScheme

    private let keys: Set<String>
    private let partial: Set<String>
    private let shapes: [String: [Int]]

    /// - Parameters:
    ///   - file: The file.
    ///   - scheme: Whose names the tensors had.
    ///   - keys: All keys, those of tensors in parts too.
    ///   - partial: The keys of tensors of which a part is zeros because the file does not have it.
    ///   - shapes: The shapes of the tensors, of one in parts that of all of them together.
    package init(
        file: String,
        scheme: NameScheme,
        keys: Set<String>,
        partial: Set<String> = [],
        shapes: [String: [Int]]
    ) {
        (self.file, self.scheme) = (file, scheme)
        (self.keys, self.partial, self.shapes) = (keys, partial, shapes)
    }

    /// All keys.
    package var allKeys: [String] { Array(keys) }

    /// The shape of a tensor; nil where the file does not have it.
    package func shape(_ key: String) -> [Int]? { shapes[key] }

    /// Whether there is a tensor, whole or in parts.
    package func has(_ key: String) -> Bool { keys.contains(key) }

    /// Whether there is a tensor without a part that the file leaves out.
    package func hasAll(_ key: String) -> Bool { has(key) && !partial.contains(key) }

    /// The largest number in names such as `blocks.11.norm1.weight`, plus one.
    package func count(after prefix: String) -> Int {
        let numbers = keys.compactMap { key -> Int? in
            guard key.hasPrefix(prefix) else { return nil }
            return Int(key.dropFirst(prefix.count).prefix { $0 != "." })
        }
        // A number beyond the number of tensors cannot be that of a block.
        return (numbers.filter { (0..<keys.count).contains($0) }.max() ?? -1) + 1
    }

    /// The error for a tensor whose shape no network of a family has.
    package func odd(_ key: String, _ network: String) -> StorageError {
        unsupported("the shape of \(key) is not that of \(network)")
    }

    /// The error for a network that is not built here.
    package func unsupported(_ reason: String) -> StorageError {
        .unsupported(file: file, reason: reason)
    }
}

/// A configuration that was found out, and a sentence for everything that had to be assumed.
package struct RecognizedModel: Sendable {
    package let configuration: ModelConfiguration
    package let assumptions: [String]

    package init(_ configuration: ModelConfiguration, assumptions: [String] = []) {
        (self.configuration, self.assumptions) = (configuration, assumptions)
    }
}

/// A network in the words of timm's `config.json`, and in ours beside them for what timm has no word for.
package struct TimmFields {
    /// The outer keys.
    package var object: JSONObject

    /// The keys of `pretrained_cfg`.
    package var pretrained: JSONObject

    /// The keys of this library.
    package var own: JSONObject
}

/// A `config.json` in timm's form.
package struct TimmFile {
    /// All of it.
    package let fields: ConfigurationFields

    /// Its `pretrained_cfg`.
    package let pretrained: ConfigurationFields

    /// What this library wrote beside timm's keys.
    package let own: ConfigurationFields?

    package init(
        fields: ConfigurationFields,
        pretrained: ConfigurationFields,
        own: ConfigurationFields?
    ) {
        (self.fields, self.pretrained, self.own) = (fields, pretrained, own)
    }

    /// Channels, height and width by `input_size`; nil where the file has no such list.
    package var inputSize: (channels: Int, height: Int, width: Int)? {
        guard let size = pretrained.value("input_size")?.arrayValue, size.count == 3,
            let channels = size[0].intValue, let height = size[1].intValue,
            let width = size[2].intValue
        else { return nil }
        return (channels, height, width)
    }
}
