import Torch
import VisionModels

/// A frozen network, or several, that a student imitates.
struct Teacher {
    /// The student's pixels to logits of the data's classes, in evaluation mode and without gradient.
    let forward: ClassifierForward
    /// Reads all that its answers depend on but the pixels: weights, architecture, pre-processing, order of classes.
    let fingerprint: () throws -> Fingerprint
    /// What a person should know of it, one sentence each.
    var notes: [String] = []
    /// Of images with several labels: the probability from which it says yes, for each of the data's classes; nil for one
    /// half.
    var thresholds: [Double]?
}
