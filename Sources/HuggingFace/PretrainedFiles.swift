public import Checkpoints
import Foundation
public import Hub
import Storage
import VisionModels

/// What a DeiT is made from: Hugging Face's `DeiTConfig`.
///
/// ```swift
/// var config = try await DeiTConfig.fromPretrained("deit-tiny-distilled")
/// config.setLabels(["daisy", "rose"])
/// ```
public typealias DeiTConfig = PretrainedConfig<DeiTFamily>

/// What a ViT is made from: Hugging Face's `ViTConfig`.
public typealias ViTConfig = PretrainedConfig<ViTFamily>

/// What a model is made from, in the words of `config.json`; the type of the library `Checkpoints`.
public typealias PretrainedConfig = Checkpoints.PretrainedConfig

/// The way from an image to a model's input, in the words of `preprocessor_config.json`; the type of the library
/// `Checkpoints`.
public typealias PretrainedImageProcessor = Checkpoints.PretrainedImageProcessor

/// A family of Hugging Face's vision transformers: what tells `DeiT…`, `ViT…` and `Dinov2…` apart; the protocol of the
/// library `Checkpoints`.
public typealias PretrainedFamily = Checkpoints.PretrainedFamily

/// DeiT: class token and distillation token (`transformers/models/deit`).
public typealias DeiTFamily = Checkpoints.DeiTFamily

/// ViT: class token alone (`transformers/models/vit`).
public typealias ViTFamily = Checkpoints.ViTFamily

/// What an image is brought to before the crop: the `size` of an image processor.
public typealias ProcessorSize = Checkpoints.ProcessorSize

/// A height and a width in pixels.
public typealias PixelSize = Checkpoints.PixelSize

/// What a classifier is trained on, which decides its loss (`problem_type`).
public typealias ProblemType = Checkpoints.ProblemType

/// DeiT's way from an image to the model's input: Hugging Face's `DeiTImageProcessor`.
///
/// By default an image is squashed to 256 × 256, bicubic, cropped to 224 × 224 and normalised with 0.5; DeiT's
/// checkpoints say ImageNet's mean and deviation, so read theirs.
public typealias DeiTImageProcessor = PretrainedImageProcessor<DeiTFamily>

/// The old name of ``DeiTImageProcessor``.
@available(*, deprecated, renamed: "DeiTImageProcessor")
public typealias DeiTFeatureExtractor = DeiTImageProcessor

/// ViT's way from an image to the model's input: Hugging Face's `ViTImageProcessor`.
///
/// By default an image is squashed to 224 × 224, bilinear, without crop, and normalised with 0.5.
public typealias ViTImageProcessor = PretrainedImageProcessor<ViTFamily>

extension PretrainedLocation {
    /// Finds the folder that a name or path means, and fetches it from the hub where it is not yet in the cache.
    ///
    /// - Parameter nameOrPath: A folder, `ORG/NAME`, or timm's name of published weights, such as
    ///   `vit_tiny_patch16_224.augreg_in21k_ft_in1k`.
    /// - Returns: The folder's path.
    /// - Throws: ``PretrainedError/notFound(_:)`` for a path that leads to no folder, and `HubError`.
    public static func resolve(_ nameOrPath: String) async throws -> String {
        let path = try await locate(published(nameOrPath) ?? nameOrPath)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw PretrainedError.notFound(
                "\(nameOrPath) is neither a directory nor a Hub model ID such as ORG/NAME"
            )
        }
        guard isFolder.boolValue else {
            throw PretrainedError.notFound(
                "\(nameOrPath) is a file; name the folder that holds config.json and the weights"
            )
        }
        return path
    }

    /// The repository of published weights by their name in timm; nil for other names, and where there is such a file.
    static func published(_ name: String) -> String? {
        guard !FileManager.default.fileExists(atPath: name) else { return nil }
        return PublishedWeights(of: name)?.repository
    }
}

extension PretrainedConfig {
    /// Reads the `config.json` of a model, in transformers' form or in timm's.
    ///
    /// - Parameter nameOrPath: The model's folder, its name on the hub, or timm's name of published weights.
    /// - Returns: The configuration.
    /// - Throws: ``PretrainedError/notFound(_:)``, `HubError`, or `CheckpointError` for a file that is damaged or of another
    ///   family.
    public static func fromPretrained(_ nameOrPath: String) async throws -> Self {
        try read(folder: try await PretrainedLocation.resolve(nameOrPath))
    }

    static func read(folder: String) throws -> Self {
        if let timm = TimmFolder(folder) { return try timm.config() }
        let path = "\(folder)/config.json"
        return try Self(json: CheckpointError.of(try SmallFile.readObject(path)), file: path)
    }

    /// Writes `config.json` into a folder, which is made where it does not exist.
    ///
    /// - Parameter folder: The folder.
    /// - Throws: `CheckpointError` when it cannot be written.
    public func savePretrained(to folder: String) throws {
        try PretrainedFolder.make(folder)
        let text = JSONValue.object(json).text() + "\n"
        try CheckpointError.of(try AtomicFile.write(text.utf8, to: "\(folder)/config.json"))
    }
}

extension PretrainedImageProcessor {
    /// Reads the `preprocessor_config.json` of a model; of a folder in timm's form its `config.json`, which says the same.
    ///
    /// What the file does not say is as the family's class has it in transformers, whichever class the file names.
    ///
    /// - Parameter nameOrPath: The model's folder, or its name on the hub.
    /// - Returns: The processor.
    /// - Throws: ``PretrainedError/notFound(_:)``, `HubError`, or `CheckpointError` for a file that is damaged.
    public static func fromPretrained(_ nameOrPath: String) async throws -> Self {
        let folder = try await PretrainedLocation.resolve(nameOrPath)
        if let timm = TimmFolder(folder) { return try timm.processor() }
        let path = "\(folder)/preprocessor_config.json"
        return try Self(json: CheckpointError.of(try SmallFile.readObject(path)), file: path)
    }

    /// Writes `preprocessor_config.json` into a folder, which is made where it does not exist.
    ///
    /// - Parameter folder: The folder.
    /// - Throws: `CheckpointError` when it cannot be written.
    public func savePretrained(to folder: String) throws {
        try PretrainedFolder.make(folder)
        let text = JSONValue.object(json).text() + "\n"
        try CheckpointError.of(
            try AtomicFile.write(text.utf8, to: "\(folder)/preprocessor_config.json")
        )
    }
}

/// The folder that `savePretrained` writes into, beside what is there already.
enum PretrainedFolder {
    /// Makes a folder where there is none.
    static func make(_ path: String) throws(CheckpointError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true
            )
        } catch {
            throw CheckpointError.unwritable(path: path, reason: error.localizedDescription)
        }
    }
}
