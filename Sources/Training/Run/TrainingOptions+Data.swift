import Datasets
import Foundation

/// Where a run's images come from, whatever it learns from them.
extension TrainingOptions {
    /// How many batches are made at the same time.
    var workerCount: Int { self.workers ?? min(8, ProcessInfo.processInfo.activeProcessorCount) }

    /// How many images of each part are taken, and which; nil for all.
    var datasetLimits: (train: DatasetLimit?, validation: DatasetLimit?) {
        let seed = UInt64(bitPattern: Int64(self.seed))
        return (
            self.trainLimit.map { .stratified($0, seed: seed) },
            self.valLimit.map { .stratified($0, seed: seed) }
        )
    }

    /// How the labels of images are written.
    var labelFormat: LabelFormat {
        LabelFormat(isMultiLabel: self.multiLabel, separator: self.labelSeparator)
    }

    /// Determines the kind of data at ``Settings/data``.
    func datasetLocation() throws -> DatasetLocation {
        try DatasetLocation(
            path: self.data,
            valFraction: self.valFraction,
            seed: UInt64(bitPattern: Int64(self.seed)),
            labels: labelFormat
        )
    }

    /// The class of each image, where an epoch shows equally many images of each class; nil where it does not.
    func labelsToBalance(in dataset: any ImageDataset) -> [Int]? {
        self.sampler == .balanced ? (0..<dataset.count).map(dataset.label(at:)) : nil
    }
}
