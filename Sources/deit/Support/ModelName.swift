import Foundation
import Hub
import Storage
import VisionModels

/// Names of models as a user types them: timm's names of weights, and what is said of a name that nothing has.
enum ModelName {
    /// The model ID on the hub that timm's name of weights means.
    ///
    /// - Parameter text: A path, a model ID, or a name such as `vit_small_patch14_dinov2.lvd142m`.
    /// - Returns: The model ID; nil for a text that is no such name, or a path that exists.
    /// - Throws: ``CommandFailure`` for weights that are not on the hub, and for the name of an architecture, which has
    ///   no weights.
    static func hubID(_ text: String) throws(CommandFailure) -> String? {
        guard !FileManager.default.fileExists(atPath: text),
            let name = ModelRegistry.preset(named: text)?.name
        else { return nil }
        let published = PublishedWeights(of: name)
        guard let dot = name.firstIndex(of: ".") else {
            // Those of others than timm, such as DeiT's authors, go by their model ID.
            let weights = ModelRegistry.weights(of: name)
            let other = published?.repository.flatMap {
                weights.isEmpty || !$0.hasPrefix("timm/") ? $0 : nil
            }
            let known = [other].compactMap { $0 } + weights
            throw CommandFailure(
                "\(name) is the name of a model, which has no weights"
                    + (known.isEmpty ? "" : "; published weights: " + list(known)),
                exitCode: CommandFailure.wrongCall
            )
        }
        guard let published else {
            // Of a family whose weights are not all known, the one that is: resnet50.a1_in1k.
            let usual = PublishedWeights(of: String(name[..<dot]))?.repository
            return usual == "timm/\(name)" ? usual : nil
        }
        guard let repository = published.repository else {
            throw CommandFailure(
                "\(name) is not on the Hub: download \(published.source), and use the file",
                exitCode: CommandFailure.wrongCall
            )
        }
        return repository
    }

    /// The first few of a list.
    private static func list(_ names: [String]) -> String {
        let few = names.prefix(3).joined(separator: ", ")
        return names.count > 3 ? "\(few) and \(names.count - 3) more (`deit models`)" : few
    }

    /// Checks that a repository's `config.json` names the model that weights were requested by: timm keeps weights of two
    /// models, such as CLIP with both activations, in one repository.
    ///
    /// - Parameters:
    ///   - text: timm's name of the weights.
    ///   - folder: The repository's files.
    /// - Throws: ``CommandFailure`` where it names another one, with the way to use the weights all the same.
    static func check(_ text: String, in folder: String) throws {
        guard let name = ModelRegistry.preset(named: text)?.name,
            PublishedWeights(of: name)?.repository != "timm/\(name)",
            let file = try? SmallFile.readObject("\(folder)/config.json"),
            let found = file["architecture"]?.stringValue
        else { return }
        let architecture = String(name.prefix { $0 != "." })
        guard found != architecture else { return }
        throw CommandFailure(
            "\(folder)/config.json names the model \(found), not \(architecture): give "
                + "\(folder)/model.safetensors with --preset \(architecture), or use the weights as \(found)",
            exitCode: CommandFailure.wrongCall
        )
    }

    /// The error of the hub, with the nearest of timm's names where it does not have the one that was typed.
    static func explained(_ error: any Error, _ text: String) -> any Error {
        let hint: String
        switch error {
        case HubError.notFound, HubError.unresolved, HubError.accessDenied, HubError.offline:
            hint = suggestion(for: text)
        default: return error
        }
        let failure = CommandFailure(error)
        return CommandFailure(failure.description + hint, exitCode: failure.exitCode)
    }

    /// What to add to the error for a name that leads nowhere: the nearest of timm's, if any is near.
    ///
    /// - Parameter text: What was typed, with `timm/` before it or not.
    /// - Returns: The end of a sentence, from the semicolon on.
    static func suggestion(for text: String) -> String {
        let prefix = text.hasPrefix("timm/") ? "timm/" : ""
        let name = String(text.dropFirst(prefix.count))
        guard !name.contains("/"), name.contains("_"), !ModelRegistry.names.contains(name)
        else { return "" }
        let nearest = Suggestion.nearest(to: name, among: ModelRegistry.names)
        return nearest.map { "; did you mean \"\(prefix)\($0)\"?" } ?? ""
    }
}
