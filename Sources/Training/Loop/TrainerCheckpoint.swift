import Checkpoints
import Foundation
import Torch
import TorchNN

/// Writes and reads everything that a run needs to go on: the model directory and the trainer's state in it.
///
/// ```
/// step-200/config.json, preprocessor_config.json, model.safetensors    the model, for anyone
/// step-200/trainer.json                                                counters, sums, best score
/// step-200/trainer.safetensors                                         the optimiser's memory, the average
/// ```
@ModelActor
enum TrainerCheckpoint {
    private static let stateFile = "trainer.json"
    private static let tensorFile = "trainer.safetensors"

    /// Saves a checkpoint, points `last` at it and returns its name.
    static func save(_ parts: TrainingParts, state: TrainerState) throws -> String {
        let name = RunDirectory.checkpointName(step: state.step)
        let tensors = tensors(parts)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let json = try encoder.encode(state)
        try parts.run.saveCheckpoint(name) { folder in
            try parts.student.save(folder)
            try Safetensors.write(tensors, to: folder + "/" + tensorFile)
            try AtomicFile.write(json, to: folder + "/" + stateFile)
        }
        try parts.run.point(.last, to: name)
        return name
    }

    /// Saves a model directory of the averaged weights, which ``TrainingParts/average`` holds.
    static func saveAverage(_ parts: TrainingParts, name: String) throws {
        guard let average = parts.average else { return }
        try parts.run.saveCheckpoint(name) { try average.save($0) }
    }

    /// Loads the newest checkpoint that can be loaded.
    ///
    /// - Parameters:
    ///   - parts: What gets the weights and the optimiser's memory.
    ///   - notice: Is told of each newer one that cannot be loaded.
    /// - Returns: Its state, or nil where the run has no checkpoint.
    /// - Throws: ``TrainingError/noUsableCheckpoint(run:reason:)`` where none of those there can be loaded.
    static func loadNewest(
        into parts: TrainingParts,
        notice: (String) -> Void
    ) throws -> TrainerState? {
        var problems: [(name: String, reason: String)] = []
        for name in parts.run.checkpointNames {
            do {
                let state = try load(parts.run.checkpointPath(name), into: parts)
                for problem in problems {
                    notice(
                        "warning: the checkpoint \(problem.name) cannot be used: \(problem.reason)"
                    )
                }
                return state
            } catch {
                problems.append((name, "\(error)"))
            }
        }
        guard let first = problems.first else { return nil }
        throw TrainingError.noUsableCheckpoint(run: parts.run.path, reason: first.reason)
    }

    private static func load(_ folder: String, into parts: TrainingParts) throws -> TrainerState {
        let path = folder + "/" + stateFile
        let state: TrainerState
        do {
            state = try JSONDecoder().decode(
                TrainerState.self,
                from: Data(contentsOf: URL(fileURLWithPath: path))
            )
        } catch {
            throw RunError.unreadable(path: path, reason: "it is missing or damaged")
        }
        // Everything is read before anything is changed.
        let stored = try Safetensors.read(folder + "/" + tensorFile)
        let targets = tensors(parts)
        try StoredTensors.check(
            stored,
            fit: targets,
            file: folder + "/" + tensorFile,
            hint: "the run was started with other options"
        )
        try parts.student.load(folder)
        try StoredTensors.copy(stored, into: targets)
        parts.ema?.updateCount = state.optimizerSteps
        return state
    }

    private static func tensors(_ parts: TrainingParts) -> [(name: String, tensor: Tensor)] {
        parts.optimizer.namedState().map { ("optimizer.\($0.name)", $0.tensor) }
            + (parts.ema?.namedTensors() ?? []).map { ("ema.\($0.name)", $0.tensor) }
    }
}
