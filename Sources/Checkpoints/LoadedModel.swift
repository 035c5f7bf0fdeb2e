public import VisionModels

/// A network with the weights of a checkpoint, and all that belongs to it.
///
/// It holds tensors and is not `Sendable`; its ``description`` is.
public struct LoadedModel {
    /// The network, in evaluation mode.
    public let model: any ImageClassifier

    /// What it is made from, what pictures it wants and what its classes are called.
    public let description: ModelDescription

    /// What was not simply taken over.
    public let report: LoadReport

    /// The file that the weights came from.
    public let weightsPath: String

    /// The texts in the weights file's `__metadata__`.
    public let metadata: [String: String]
}
