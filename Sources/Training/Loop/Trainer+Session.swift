import Checkpoints
import Foundation
import Storage
import Torch
import TorchNN

extension Trainer {
    /// Creates the trainer of a run that is set up: at its newest checkpoint, or at the start, with the manifest written.
    convenience init(
        _ parts: TrainerParts,
        _ plan: RunPlan,
        for request: RunRequest,
        observer: any TrainingObserver,
        stop: StopRequest
    ) throws {
        try request.agree(plan, parts.learner.module)
        let state = try TrainerCheckpoint.resume(parts, notice: observer.didNotice)
        if request.resuming == nil, let run = parts.run {
            try Self.writeManifest(request, plan, run)
        }
        try self.init(parts, state: state, observer: observer, stop: stop)
    }

    private static func writeManifest(
        _ request: RunRequest,
        _ plan: RunPlan,
        _ run: RunDirectory
    ) throws {
        let manifest = RunManifest(
            toolVersion: request.toolVersion,
            libtorchVersion: Libtorch.versionOfLibrary,
            started: Date().formatted(.iso8601),
            recipe: request.recipe,
            options: request.options,
            kernels: (
                plan.policy.linear, plan.policy.attention, plan.policy.pointwise,
                plan.policy.encoder, plan.policy.blocks
            ),
            dtype: Precision(plan.policy.dtype),
            threads: Libtorch.threadCount,
            counts: (plan.trainCount, plan.validationCount),
            classNames: plan.classNames,
            fingerprint: plan.fingerprint,
            freshWeights: plan.freshWeights,
            dataPath: URL(filePath: request.options.data).standardizedFileURL.path,
            holdsOut: plan.holdsOut,
            classWeights: plan.classWeights,
            posWeights: plan.posWeights,
            facts: plan.facts
        )
        try AtomicFile.write(try manifest.yaml().utf8, to: run.manifestPath)
    }
}
