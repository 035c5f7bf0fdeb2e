/// The state of a run: everything but tensors that a resumed run needs to go on as if never stopped.
public struct TrainerState: Codable, Sendable, Equatable {
    /// The version of this file's form.
    public var format = 1
    /// The steps taken since the run began, skipped ones included.
    public var step = 0
    /// The epoch at hand, from 0.
    public var epoch = 0
    /// The steps taken of the epoch at hand.
    public var stepInEpoch = 0
    /// What the epoch at hand has added up.
    public var sums = EpochSums()
    /// What the steps since the last record in `metrics.jsonl` have added up.
    public var recordSums = EpochSums()
    /// The best validation score so far.
    public var best: BestScore?
    /// The length of `metrics.jsonl` in bytes.
    public var metricsLength = 0
    /// The length of the event file in bytes; nil where none is written.
    public var eventsLength: Int?
    /// The seconds spent so far, over all processes that worked on this run.
    public var seconds = 0.0
    /// The steps whose loss or gradient was not finite.
    public var skippedSteps = 0
    /// The steps left out because gradients of `float16` overflowed, by which its scale is found; nil for none.
    public var overflowedSteps: Int?
    /// How many of the last steps in a row were skipped.
    public var skippedInARow = 0
    /// How often the run went back to its last good checkpoint.
    public var rollbacks = 0
    /// The steps of the optimiser: those not skipped.
    public var optimizerSteps = 0
    /// Training images that could not be read.
    public var unreadableImages = 0
    /// Further numbers that the method keeps.
    public var counters: [String: Double]?
    /// Whether the run is at its end although not all epochs are done: its time is used, or its patience.
    public var isComplete: Bool?

    /// The start of a run.
    public init() {}

    /// Whether nothing is left of a run of that many epochs.
    func isFinished(epochs: Int) -> Bool { epoch >= epochs || isComplete == true }
}

/// Sums over some steps, from which means are taken.
public struct EpochSums: Codable, Sendable, Equatable {
    /// The sum of the losses of the images.
    public var loss = 0.0
    /// The images whose class was predicted.
    public var correct = 0.0
    /// The images.
    public var count = 0
    /// Seconds spent, waiting and working.
    public var seconds = 0.0
    /// Seconds spent waiting for images.
    public var waiting = 0.0
    /// The sums of what else the method watches, each times the images.
    public var numbers: [String: Double]?

    /// Nothing yet.
    public init() {}

    /// The mean loss of an image; 0 where none was seen.
    public var meanLoss: Double { count == 0 ? 0 : loss / Double(count) }
    /// The share of images whose class was predicted, 0 to 1.
    public var top1: Double { count == 0 ? 0 : correct / Double(count) }
    /// The means of what else the method watches, by their names in `metrics.jsonl`.
    public var means: [String: Double] {
        (numbers ?? [:]).mapValues { count == 0 ? 0 : $0 / Double(count) }
    }
    /// Images a second.
    public var imagesPerSecond: Double { seconds > 0 ? Double(count) / seconds : 0 }
    /// The share of the time spent waiting for images, 0 to 1.
    public var dataWait: Double { seconds > 0 ? waiting / seconds : 0 }
}

/// The best validation score of a run and where it was reached.
public struct BestScore: Codable, Sendable, Equatable {
    /// The share of validation images whose class was predicted, 0 to 1.
    public var top1: Double
    /// The step after which it was measured.
    public var step: Int
    /// Whether the averaged weights reached it, not the model's own.
    public var isAverage: Bool
    /// The checkpoint's name.
    public var checkpoint: String
    /// The metric by which it is the best; nil for the share that was predicted.
    public var metric: BestMetric?
    /// The score by that metric; nil for the share that was predicted.
    public var metricValue: Double?

    /// The score by which it is the best.
    public var value: Double { metricValue ?? top1 }
}
