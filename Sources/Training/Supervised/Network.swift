import Checkpoints
import Foundation
import Torch
import TorchNN

/// The network of a run: fresh, or out of a checkpoint.
@ModelActor
struct Network {
    let description: ModelDescription
    private let options: TrainingOptions
    /// Whether the weights come from the checkpoint that the options name, and not from the run's own or from chance.
    private let startsFromCheckpoint: Bool
    /// What a resumed run's file says of weights that were fresh when it began.
    private let freshBefore: [String]

    /// Finds out what the network is, without its weights.
    ///
    /// A resumed run takes it from its own newest checkpoint: the one that it started from may be gone by then.
    nonisolated init(
        _ request: RunRequest,
        classNames: [String],
        isMultiLabel: Bool = false
    ) throws {
        options = request.options
        freshBefore = request.resuming?.freshWeights ?? []
        guard !options.finetune.isEmpty else {
            startsFromCheckpoint = false
            description = try ClassifierFactory.description(
                options,
                classNames: classNames,
                isMultiLabel: isMultiLabel
            )
            return
        }
        let last = request.output + "/checkpoints/last"
        startsFromCheckpoint =
            request.resuming == nil || !FileManager.default.fileExists(atPath: last)
        guard !startsFromCheckpoint else {
            description = try FineTuning.description(
                options,
                classNames: classNames,
                isMultiLabel: isMultiLabel
            )
            return
        }
        var own = try ModelDirectory.description(of: last)
        own.configuration.setRates(options)
        description = own
    }

    /// Notes on the network for the user, other than those on its weights.
    ///
    /// - Throws: ``OptionError`` where it does not fit the options for a distillation token.
    nonisolated func checkToken() throws(OptionError) -> String? {
        try DistillationToken.check(options, description)
    }

    /// Makes the network, fills it, takes the gradients of what stays as it is and moves it to the policy's device.
    ///
    /// - Parameters:
    ///   - dtype: The number format of matrix products, or nil for that of the weights.
    ///   - notice: Called with each note for the user.
    /// - Returns: The network, and the keys of weights that take the full rate under a layer decay, since the checkpoint
    ///   has none for them.
    /// - Throws: What loading a checkpoint throws, and ``OptionError`` where the wrong weights would stay as they are.
    func make(
        dtype: DType?,
        notice: (String) -> Void
    ) throws -> (student: TrainableClassifier, fresh: [String]) {
        let student = try ClassifierFactory.make(description, dtype: dtype)
        var fresh: Set<String> = []
        var atFullRate = freshBefore
        if startsFromCheckpoint {
            let start = try FineTuning.load(
                options,
                into: student,
                classNames: description.classNames
            )
            for sentence in start.sentences { notice("note: \(sentence)") }
            fresh = start.fresh
            atFullRate = start.isTokenAdded ? [FreshToken.key] : []
        }
        if let sentence = try FrozenWeights.apply(options, to: student.module, fresh: fresh) {
            notice("note: \(sentence)")
        }
        // The first weights are drawn on the CPU, so they are the same on every device.
        try student.module.to(ComputePolicy.current.device)
        return (student, atFullRate)
    }
}
