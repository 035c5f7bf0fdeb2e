import Checkpoints
import Storage
import Torch
import VisionModels

/// A distillation token, its position and its head for a student that starts from a plain checkpoint: fine-tuning with
/// distillation, where both heads are trained and their mean is the prediction.
///
/// ## Source
/// Touvron et al. (arXiv:2012.12877), section 5.1, "Fine-tuning with distillation"; facebookresearch/deit `main.py` raises
/// `NotImplementedError` there.
enum FreshToken {
    /// The token's key.
    ///
    /// Under a layer decay it takes the head's rate: no checkpoint has trained it, whatever it begins as.
    static let key = "dist_token"

    /// Whether the options ask for a token that the checkpoint does not have.
    static func isAdded(
        _ options: TrainingOptions,
        to checkpoint: ModelConfiguration
    ) throws -> Bool {
        guard let transformer = checkpoint.transformer, !transformer.isDistilled,
            options.distillationToken != .off
        else { return false }
        if options.distillationToken == .on { return true }
        guard options.model != TrainingOptions.modelOfCheckpoint else { return false }
        return try ClassifierFactory.preset(options.model).isDistilled
    }

    /// Makes a plain model's description that of the distilled one.
    ///
    /// - Throws: ``OptionError`` where the token would begin with random numbers and stay so.
    static func add(
        to description: inout ModelDescription,
        _ options: TrainingOptions
    ) throws(OptionError) {
        if options.tokenInit == .normal, options.freeze != .none || options.attnOnly {
            throw .conflict(
                "token_init normal would leave the new distillation token at its random values, as frozen weights are "
                    + "not trained: add --token-init class, or leave out --freeze and --attn-only"
            )
        }
        guard description.configuration.transformer != nil else { return }
        description.configuration.transformer?.isDistilled = true
        // What a file of the plain model says of itself is wrong of this one.
        description.originalConfiguration = [:]
        let name = description.name?.replacing("_patch", with: "_distilled_patch")
        description.name = ModelRegistry.presets.first { $0.name == name }?.name
    }

    /// Adds what a plain checkpoint lacks to its tensors.
    ///
    /// - Parameters:
    ///   - stored: The checkpoint's tensors, by timm's names; the token, its head and its position are added.
    ///   - fresh: The tensors of a freshly initialised distilled network.
    ///   - start: What the token and its position begin as.
    /// - Returns: The message, one sentence.
    /// - Throws: `TorchError` when the shapes do not fit.
    static func complete(
        _ stored: inout [String: Tensor],
        from fresh: [(name: String, tensor: Tensor)],
        start: TokenInitialization
    ) throws(TorchError) -> String {
        for (name, tensor) in fresh where stored[name] == nil { stored[name] = tensor }
        if start == .cls { stored[key] = stored["cls_token"] }
        let own = fresh.first { $0.name == "pos_embed" }?.tensor
        // A network without positions of the tokens before the patches has as many as before.
        if let positions = stored["pos_embed"], let own, positions.shape != own.shape,
            positions.rank == 3, own.rank == 3, own.shape[1] == positions.shape[1] + 1
        {
            let place = start == .cls ? positions : own
            let source = try place.narrowed(1, start == .cls ? 0..<1 : 1..<2)
            stored["pos_embed"] = try Tensor.cat(
                [
                    positions.narrowed(1, 0..<1), source,
                    positions.narrowed(1, 1..<positions.shape[1]),
                ],
                dim: 1
            )
        }
        let start =
            start == .cls
            ? "the class token and its position"
            : "random normal values with standard deviation 0.02"
        return "a new distillation token, initialized with \(start), and a new head_dist on it"
    }
}

/// Whether the student's distillation token and heads fit the options for them.
enum DistillationToken {
    /// Checks a student.
    ///
    /// - Parameters:
    ///   - options: The run's options.
    ///   - student: What the student is made from.
    /// - Returns: What a person should know, if anything.
    /// - Throws: ``OptionError`` for a token that was requested and not there, or the other way round, and for a head that
    ///   nothing would train.
    @discardableResult
    static func check(
        _ options: TrainingOptions,
        _ student: ModelDescription
    ) throws(OptionError) -> String? {
        let isDistilled = student.configuration.isDistilled
        let name = student.name ?? options.model
        let plain = "the model \(name) has no distillation token"
        switch options.distillationToken {
        case .on where !isDistilled:
            throw .conflict(
                plain + advice(name, distilled: true) + ", or leave out --distillation-token on"
            )
        case .off where isDistilled:
            throw .conflict(
                "the model \(name) has a distillation token" + advice(name, distilled: false)
                    + ", or leave out --distillation-token off"
            )
        default: break
        }
        guard options.distillation != .none else { return nil }
        guard isDistilled else {
            return plain + ": its only head learns from labels and teacher"
                + advice(name, distilled: true)
        }
        if options.distillationAlpha == 0 || options.distillationAlpha == 1 {
            let head = options.distillationAlpha == 0 ? "distillation" : "class"
            throw .conflict(
                "distillation_alpha \(options.distillationAlpha) would leave the \(head) head of \(name) untrained, and "
                    + "the prediction is the mean of both: choose one between 0 and 1, or a --model without the token"
            )
        }
        return nil
    }

    /// The name of the other form of the model, where there is one.
    private static func advice(_ name: String, distilled: Bool) -> String {
        let other =
            distilled
            ? name.replacing("_patch", with: "_distilled_patch")
            : name.replacing("_distilled", with: "")
        guard other != name, ModelRegistry.presets.contains(where: { $0.name == other }) else {
            return distilled
                ? "; transformers such as deit_tiny_distilled_patch16_224 have one" : ""
        }
        return distilled ? "; --model \(other) has one" : "; --model \(other) has none"
    }
}
