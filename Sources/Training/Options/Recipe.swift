import Foundation
import Yams

/// A named set of options, read from YAML.
public struct Recipe: Sendable, Equatable {
    /// The name, such as `quickstart`, or the path of the file.
    public let name: String
    /// Names and texts of the options in the order of the file.
    public let values: [Value]

    /// One option of a recipe.
    public struct Value: Sendable, Equatable {
        /// The setting's key, such as `weight_decay`.
        public let key: String
        /// The value's text.
        public let text: String

        /// Creates an option.
        public init(key: String, text: String) {
            self.key = key
            self.text = text
        }
    }

    /// Reads a recipe's YAML: a mapping from option names to single values.
    ///
    /// - Parameters:
    ///   - name: What the recipe is called in errors and in `run.yaml`.
    ///   - yaml: The file's text.
    /// - Throws: ``OptionError`` for text that is not a recipe.
    public init(name: String, yaml: String) throws(OptionError) {
        self.name = name
        let root: Node?
        do {
            root = try Yams.compose(yaml: yaml)
        } catch {
            throw .unreadableRecipe(name, reason: Self.oneLine(error))
        }
        guard let root else {
            values = []
            return
        }
        guard let mapping = root.mapping else {
            throw .unreadableRecipe(name, reason: "expected a mapping such as \"epochs: 10\"")
        }
        values = try Self.values(of: mapping, source: "the recipe \(name)")
    }

    /// The shipped recipe of a name, or the recipe in a file.
    ///
    /// - Parameter nameOrPath: A name out of ``shippedNames`` or the path of a YAML file.
    /// - Returns: The recipe.
    /// - Throws: ``OptionError`` for an unknown name or a file that is not a recipe.
    public static func named(_ nameOrPath: String) throws(OptionError) -> Recipe {
        if let bytes = shipped[nameOrPath] {
            return try Recipe(name: nameOrPath, yaml: String(decoding: bytes, as: UTF8.self))
        }
        let looksLikePath =
            nameOrPath.contains("/") || nameOrPath.hasSuffix(".yaml")
            || nameOrPath.hasSuffix(".yml")
        guard looksLikePath || FileManager.default.fileExists(atPath: nameOrPath) else {
            throw .unknownRecipe(nameOrPath, known: shippedNames)
        }
        let text: String
        do {
            text = try String(contentsOfFile: nameOrPath, encoding: .utf8)
        } catch {
            throw .unreadableRecipe(nameOrPath, reason: Self.oneLine(error))
        }
        return try Recipe(name: nameOrPath, yaml: text)
    }

    /// What a run of it learns from.
    public var method: TrainingMethod {
        let text = values.last { $0.key == Settings.declared.method.key }?.text
        return text.flatMap(TrainingMethod.init) ?? .supervised
    }

    /// The names of the recipes inside the library.
    public static var shippedNames: [String] { shipped.keys.sorted() }

    /// The files of `Recipes/`, which SwiftPM compiles into the library.
    static let shipped: [String: [UInt8]] = [
        "cifar": PackageResources.cifar_yaml,
        "deit": PackageResources.deit_yaml,
        "deit-384": PackageResources.deit_384_yaml,
        "deit3": PackageResources.deit3_yaml,
        "dino": PackageResources.dino_yaml,
        "dino-cifar": PackageResources.dino_cifar_yaml,
        "dino-small-batch": PackageResources.dino_small_batch_yaml,
        "fashion-mnist": PackageResources.fashion_mnist_yaml,
        "finetune": PackageResources.finetune_yaml,
        "linear": PackageResources.linear_yaml,
        "mim": PackageResources.mim_yaml,
        "quickstart": PackageResources.quickstart_yaml,
    ]

    /// The name for the run's folder: the recipe's, or the file's without its ending.
    public var shortName: String {
        URL(fileURLWithPath: name).deletingPathExtension().lastPathComponent
    }

    static func values(of mapping: Node.Mapping, source: String) throws(OptionError) -> [Value] {
        var values: [Value] = []
        for (keyNode, valueNode) in mapping {
            let key = keyNode.string ?? ""
            guard let setting = Settings.named(key) else {
                throw .unknownKey(key, source: source)
            }
            guard let text = text(of: valueNode, for: setting) else {
                throw .badValue(
                    "a list or mapping",
                    key: key,
                    expected: setting.expected,
                    source: source
                )
            }
            values.append(Value(key: setting.key, text: text))
        }
        return values
    }

    private static func text(of node: Node, for setting: any AnySetting) -> String? {
        guard setting.takesList, let sequence = node.sequence else { return node.scalar?.string }
        let parts = sequence.compactMap { $0.scalar?.string }
        return parts.count == sequence.count ? parts.joined(separator: ",") : nil
    }

    static func oneLine(_ error: any Error) -> String {
        let text = (error as? YamlError)?.description ?? error.localizedDescription
        return text.split(whereSeparator: \.isNewline).prefix(2).joined(separator: " ")
    }
}
