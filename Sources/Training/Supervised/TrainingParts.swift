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
    /// Writes a model directory into an empty folder.
    public let save: (_ folder: String) throws -> Void
    /// Reads the weights of such a directory back, in place.
    public let load: (_ folder: String) throws -> Void
    /// Explains where numbers stop being finite in a forward pass, where the network can tell.
    public let firstNonFiniteLayer: (Tensor) -> String?
}

/// What the loop drives.
struct LoopParts {
    let plan: TrainingPlan
    let run: RunDirectory
    let learner: any Learner
    /// Makes the training loader for an attempt; a rolled-back run goes on in another order.
    let trainingLoader: (_ attempt: Int) throws -> DataLoader
    /// What was noticed when the data to measure by was opened.
    let notes: [String]
}

/// The parts of a run that learns from labels.
struct TrainingParts {
    let plan: TrainingPlan
    let student: TrainableClassifier
    /// A second network for the averaged weights, filled for validation and saving.
    let average: TrainableClassifier?
    let task: any TrainingTask
    /// The teacher and its kept answers, of a run that has one.
    var teacher: RunTeacher?
    let optimizer: any Optimizer
    let ema: ExponentialMovingAverage?
    /// Makes the training loader for an attempt; a rolled-back run goes on in another order.
    let trainingLoader: (_ attempt: Int) throws -> DataLoader
    let validationLoader: DataLoader
    let run: RunDirectory
}
