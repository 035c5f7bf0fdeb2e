import Datasets
import ImagePipeline
import Torch
import TorchNN

/// What a trainer drives.
struct TrainerParts {
    let plan: TrainingPlan
    /// The folder for metrics and checkpoints; nil writes nothing.
    let run: RunDirectory?
    let learner: any Learner
    /// Makes the training loader for an attempt; a rolled-back run goes on in another order.
    let trainingLoader: (_ attempt: Int) throws -> DataLoader
    /// What was noticed when the data to measure by was opened.
    var notes: [String] = []
    /// The share of the data that was held out, which every checkpoint records.
    var heldOut: HeldOutShare?
}

extension RunPlan {
    /// The same for a trainer.
    ///
    /// - Parameter group: The processes that train together; nil for one alone.
    /// - Returns: The plan.
    func training(_ group: ProcessGroup?) -> TrainingPlan {
        let run = self
        var plan = TrainingPlan(
            epochs: options.epochs,
            learningRate: LearningRate { step, total in run.learningRate(step: step, of: total) },
            optimizer: options.optimizerChoice,
            weightDecay: options.weightDecay
        )
        plan.accumulation = options.accumulation
        plan.clipGradient = options.clipGrad
        plan.average = options.ema.map {
            TrainingPlan.WeightAverage(decay: $0, warmup: options.emaWarmup)
        }
        plan.compute = policy
        plan.seed = options.seed
        plan.checkpointInterval = options.checkpointInterval
        plan.keepLast = options.keepLast
        plan.logInterval = options.logInterval
        plan.tensorboard = options.tensorboard
        plan.augmentationEpochs = options.augmentationEpochs
        // Images with several labels have no one class that could be predicted.
        let isUsual = options.bestMetric == .top1
        plan.bestMetric = isUsual && isMultiLabel ? .map : options.bestMetric
        plan.patience = options.patience
        plan.time = options.time
        plan.group = group
        return plan
    }
}

extension UnlabelledData {
    /// What the trainer drives; the run's folder is made only when nothing else can be wrong.
    @ModelActor
    func trainerParts(
        _ request: RunRequest,
        _ plan: RunPlan,
        _ transform: any ImageTransform,
        _ learner: any Learner
    ) throws -> TrainerParts {
        _ = try trainingLoader(transform, attempt: 0)
        return TrainerParts(
            plan: plan.training(request.group),
            run: try request.openRun(),
            learner: learner,
            trainingLoader: { try trainingLoader(transform, attempt: $0) },
            notes: validation?.notes ?? [],
            heldOut: HeldOutShare(of: plan)
        )
    }
}

extension DataLoader {
    /// The same images for an attempt at training; a rolled-back run goes on in another order.
    func reordered(attempt: Int) throws(DatasetError) -> DataLoader {
        guard attempt > 0 else { return self }
        return try DataLoader(
            dataset: dataset,
            transform: transform,
            plan: plan.reseeded(
                StepRandomness.dataSeed(Int(truncatingIfNeeded: plan.seed), attempt: attempt)
            ),
            mixing: mixing,
            smoothing: smoothing,
            workers: workers,
            policy: policy
        )
    }
}
