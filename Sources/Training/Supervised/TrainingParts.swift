import Datasets
public import Torch
public import TorchNN
public import VisionModels

/// A classifier on the compute thread, with what training asks of it.
public struct TrainableClassifier {
    /// The network.
    public let module: Module
    /// Pixels to logits, in the number format of the run.
    public let forward: ClassifierForward
    /// Writes a model directory into an empty folder; of a model of several labels an image, with the probability from which
    /// each class counts as recognised, nil where it was not measured.
    public let save: (_ folder: String, _ thresholds: [Double]?) throws -> Void
    /// Reads the weights of such a directory back, in place.
    public let load: (_ folder: String) throws -> Void
    /// Explains where numbers stop being finite in a forward pass, where the network can tell.
    public let firstNonFiniteLayer: (Tensor) -> String?
}

/// The parts of a run that learns from labels.
struct TrainingParts {
    let plan: RunPlan
    let student: TrainableClassifier
    /// A second network for the averaged weights, filled for validation and saving.
    let average: TrainableClassifier?
    let task: any TrainingTask
    /// Adds to a step's images what is known of them already: a teacher's kept answers.
    var answers: ((StepInput, StepPlace) throws -> StepInput)?
    let optimizer: any Optimizer
    let ema: ExponentialMovingAverage?
    /// Makes the training loader for an attempt; a rolled-back run goes on in another order.
    let trainingLoader: (_ attempt: Int) throws -> DataLoader
    let validationLoader: DataLoader
    /// The run's folder; nil in a process that does not write.
    let run: RunDirectory?
    /// The processes that train together; nil for one alone.
    var group: ProcessGroup?
}

@ModelActor
extension TrainingParts {
    /// The same for a trainer.
    var forTrainer: TrainerParts {
        get throws(TorchError) {
            TrainerParts(
                plan: plan.training(group),
                run: run,
                learner: try SupervisedLearner(self),
                trainingLoader: trainingLoader,
                notes: validationLoader.dataset.notes,
                heldOut: HeldOutShare(of: plan)
            )
        }
    }
}

extension TrainableClassifier {
    /// The same for the learner.
    var trained: TrainedNetwork {
        TrainedNetwork(
            module: module,
            score: Validation.score(of: forward),
            save: save,
            load: load,
            firstNonFiniteLayer: firstNonFiniteLayer
        )
    }
}

extension Trainer {
    /// Creates the trainer of a run that learns from labels.
    convenience init(
        _ parts: TrainingParts,
        state: TrainerState,
        observer: any TrainingObserver,
        stop: StopRequest
    ) throws {
        try self.init(try parts.forTrainer, state: state, observer: observer, stop: stop)
    }
}
