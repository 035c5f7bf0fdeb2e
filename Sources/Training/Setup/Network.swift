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

    /// Finds out what the network is, without its weights.
    ///
    /// A resumed run takes it from its own newest checkpoint: the one that it started from may be gone by then.
    nonisolated init(_ request: TrainingSession.Request, classNames: [String]) throws {
        options = request.options
        guard !options.finetune.isEmpty else {
            startsFromCheckpoint = false
            description = try ClassifierFactory.description(options, classNames: classNames)
            return
        }
        let last = request.output + "/checkpoints/last"
        startsFromCheckpoint =
            request.resuming == nil || !FileManager.default.fileExists(atPath: last)
        guard !startsFromCheckpoint else {
            description = try FineTuning.description(options, classNames: classNames)
            return
        }
        var own = try ModelDirectory.description(of: last)
        own.configuration.setRates(options)
        description = own
    }

    /// What a person should know of the network beside what its weights tell.
    ///
    /// - Throws: ``OptionError`` where it does not fit what the options want of a distillation token.
    nonisolated func checkToken() throws(OptionError) -> String? {
        try DistillationToken.check(options, description)
    }

    /// Makes the network, fills it and takes the gradients of what stays as it is.
    func make(dtype: DType?, notice: (String) -> Void) throws -> TrainableClassifier {
        let student = try ClassifierFactory.make(description, dtype: dtype)
        var fresh: Set<String> = []
        if startsFromCheckpoint {
            let start = try FineTuning.load(
                options,
                into: student,
                classNames: description.classNames
            )
            for sentence in start.sentences { notice("note: \(sentence)") }
            fresh = start.fresh
        }
        if let sentence = try FrozenWeights.apply(options, to: student.module, fresh: fresh) {
            notice("note: \(sentence)")
        }
        return student
    }
}
