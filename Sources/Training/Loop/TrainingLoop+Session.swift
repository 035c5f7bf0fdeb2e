import Checkpoints
import Foundation
import Storage
import Torch
import TorchNN

extension TrainingLoop {
    /// Creates the loop of a run that is set up: at its newest checkpoint, or at the start, with the manifest written.
    convenience init(
        _ parts: LoopParts,
        for request: TrainingSession.Request,
        observer: any TrainingObserver,
        stop: StopRequest
    ) throws {
        let state =
            try TrainerCheckpoint.loadNewest(into: parts, notice: observer.didNotice)
            ?? TrainerState()
        // A process that was killed between saving and pointing left `best` behind.
        if let best = state.best, parts.run.exists(best.checkpoint) {
            try parts.run.point(.best, to: best.checkpoint)
        }
        if request.resuming == nil { try Self.writeManifest(request, parts.plan, parts.run) }
        try self.init(parts, state: state, observer: observer, stop: stop)
    }

    private static func writeManifest(
        _ request: TrainingSession.Request,
        _ plan: TrainingPlan,
        _ run: RunDirectory
    ) throws {
        let manifest = RunManifest(
            toolVersion: request.toolVersion,
            libtorchVersion: Libtorch.versionOfLibrary,
            started: Date().formatted(.iso8601),
            recipe: request.recipe,
            options: request.options,
            kernels: (
                plan.policy.linear, plan.policy.attention, plan.policy.pointwise
            ),
            dtype: plan.policy.dtype == .bfloat16 ? .bf16 : .fp32,
            threads: Libtorch.threadCount,
            counts: (plan.trainCount, plan.validationCount),
            classNames: plan.classNames,
            fingerprint: plan.fingerprint,
            freshWeights: plan.freshWeights,
            dataPath: URL(filePath: request.options.data).standardizedFileURL.path,
            holdsOut: plan.holdsOut,
            facts: plan.facts
        )
        try AtomicFile.write(try manifest.yaml().utf8, to: run.manifestPath)
    }
}
