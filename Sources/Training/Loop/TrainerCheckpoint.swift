import Checkpoints
import Foundation
import Storage
import Torch
import TorchNN

/// Writes and reads everything that a run needs to go on: the model directory and the trainer's state in it.
///
/// ```
/// step-200/config.json, preprocessor_config.json, model.safetensors    the model, for anyone
/// step-200/trainer.json                                                counters, sums, best score
/// step-200/trainer.safetensors                                         the optimiser's memory, the average,
///                                                                      all of the method's own
/// step-200/held_out.json                                               the share of the data held out, where one is
/// ```
@ModelActor
enum TrainerCheckpoint {
    private static let stateFile = "trainer.json"
    private static let tensorFile = "trainer.safetensors"

    /// Saves a checkpoint, points `last` at it and returns its name.
    static func save(
        _ parts: TrainerParts,
        in run: RunDirectory,
        state: TrainerState
    ) throws -> String {
        let name = RunDirectory.checkpointName(step: state.step)
        try write(parts, in: run, state: state, name: name)
        try run.point(.last, to: name)
        return name
    }

    /// Saves a checkpoint for the time it takes, and removes it.
    static func rehearse(_ parts: TrainerParts, in run: RunDirectory) throws {
        // No checkpoint of a run: what is left of a process that is killed meanwhile is never gone on from.
        let name = "rehearsal"
        defer { try? FileManager.default.removeItem(atPath: run.checkpointPath(name)) }
        try write(parts, in: run, state: TrainerState(), name: name)
    }

    private static func write(
        _ parts: TrainerParts,
        in run: RunDirectory,
        state: TrainerState,
        name: String
    ) throws {
        let tensors = parts.learner.namedState()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let json = try encoder.encode(state)
        try run.saveCheckpoint(name) { folder in
            try parts.learner.save(to: folder)
            try Safetensors.write(tensors, to: folder + "/" + tensorFile)
            try AtomicFile.write(json, to: folder + "/" + stateFile)
            try parts.heldOut?.write(to: folder)
        }
    }

    /// Saves a model directory of the averaged weights.
    static func saveAverage(
        _ parts: TrainerParts,
        in run: RunDirectory,
        name: String
    ) throws {
        try run.saveCheckpoint(name) { folder in
            try parts.learner.saveAverage(to: folder)
            try parts.heldOut?.write(to: folder)
        }
    }

    /// Loads the newest checkpoint that can be loaded.
    ///
    /// - Parameters:
    ///   - parts: What gets the weights and the optimiser's memory.
    ///   - notice: Called for each newer one that cannot be loaded.
    /// - Returns: Its state, or nil where the run has no checkpoint.
    /// - Throws: ``TrainingError/noUsableCheckpoint(run:reason:)`` where none of those there can be loaded.
    static func loadNewest(
        into parts: TrainerParts,
        notice: (String) -> Void
    ) throws -> TrainerState? {
        guard let run = parts.run else { return nil }
        var problems: [(name: String, reason: String)] = []
        for name in run.checkpointNames {
            do {
                let state = try load(run.checkpointPath(name), into: parts)
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
        throw TrainingError.noUsableCheckpoint(run: run.path, reason: first.reason)
    }

    /// Loads the newest checkpoint in all processes.
    ///
    /// Process 0 alone reads: others could see an older state of a shared file system. Without a checkpoint too the processes
    /// begin with the same weights.
    static func loadNewestForAll(
        _ parts: TrainerParts,
        notice: (String) -> Void
    ) throws -> TrainerState? {
        guard let group = parts.plan.group else {
            return try loadNewest(into: parts, notice: notice)
        }
        let own = group.isFirst ? try loadNewest(into: parts, notice: notice) : nil
        let state = try group.first(own)
        let learner = parts.learner
        try group.broadcast(
            learner.module.namedTensors().map(\.tensor) + learner.namedState().map(\.tensor)
        )
        if !group.isFirst, let state {
            learner.counters = state.counters ?? [:]
            learner.didLoad(state)
        }
        return state
    }

    /// Loads the newest checkpoint where there is one, and puts right what a process left that was killed while it saved.
    ///
    /// - Parameters:
    ///   - parts: What gets the weights and the optimiser's memory.
    ///   - notice: Called for each newer checkpoint that cannot be loaded.
    /// - Returns: The state of the run.
    /// - Throws: ``TrainingError/noUsableCheckpoint(run:reason:)``, ``RunError``.
    static func resume(
        _ parts: TrainerParts,
        notice: (String) -> Void
    ) throws -> TrainerState {
        let state = try loadNewestForAll(parts, notice: notice) ?? TrainerState()
        // A process that was killed between saving and pointing left `best` behind.
        if let best = state.best, let run = parts.run, run.exists(best.checkpoint) {
            try run.point(.best, to: best.checkpoint)
        }
        return state
    }

    /// Where the run of a checkpoint stood.
    static func state(in folder: String) throws -> TrainerState {
        let path = folder + "/" + stateFile
        do {
            return try JSONDecoder().decode(
                TrainerState.self,
                from: Data(contentsOf: URL(fileURLWithPath: path))
            )
        } catch {
            throw RunError.unreadable(path: path, reason: "it is missing or damaged")
        }
    }

    /// The tensors of a checkpoint, which fit those of a run.
    static func tensors(
        in folder: String,
        fit targets: [(name: String, tensor: Tensor)]
    ) throws -> [String: Tensor] {
        let names = Set(targets.map(\.name))
        let stored = try Safetensors.read(folder + "/" + tensorFile).filter { name, _ in
            !name.hasPrefix(GradientScaler.checkpointPrefix) || names.contains(name)
        }
        try StoredTensors.check(
            stored,
            fit: targets,
            file: folder + "/" + tensorFile,
            hint: "the run was started with other options"
        )
        return stored
    }

    private static func load(_ folder: String, into parts: TrainerParts) throws -> TrainerState {
        let state = try state(in: folder)
        // Everything is read before anything is changed.
        let targets = parts.learner.namedState()
        let stored = try tensors(in: folder, fit: targets)
        try parts.learner.load(from: folder)
        try StoredTensors.copy(stored, into: targets)
        parts.learner.counters = state.counters ?? [:]
        parts.learner.didLoad(state)
        return state
    }
}
