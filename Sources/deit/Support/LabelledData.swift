import Datasets
import Foundation
import Training

/// Labelled images to look at with a trained model.
enum LabelledData {
    /// Opens a part of the data, and prints its notes.
    ///
    /// Where the model's run held out a share of these very images, the parts are the run's: what it learned from is not
    /// measured with. Where it held out a share of other images, that is reported.
    ///
    /// - Parameters:
    ///   - path: The folder, list or archive.
    ///   - split: The part.
    ///   - checkpoint: The checkpoint as the user named it.
    ///   - labels: How labels are written, where the data can be read in two ways.
    /// - Returns: The images.
    /// - Throws: `DatasetError`.
    static func open(
        _ path: String,
        _ split: DatasetSplit,
        for checkpoint: String,
        _ labels: LabelFormat = LabelFormat()
    ) throws -> any ImageDataset {
        if let dataset = try heldOut(path, split, for: checkpoint) { return dataset }
        let dataset = try DatasetLocation(path: path, labels: labels).open(split)
        for note in dataset.notes { StatusLine.note(note) }
        return dataset
    }

    /// Opens the images of an index: those that the model's run learned from, or the training part, or all where there are
    /// no parts.
    static func openForIndex(
        _ path: String,
        for checkpoint: String
    ) throws -> any ImageDataset {
        if let dataset = try heldOut(path, .train, for: checkpoint) { return dataset }
        let location = try DatasetLocation(path: path)
        let dataset: any ImageDataset
        do throws(DatasetError) {
            dataset = try location.open(.train)
        } catch {
            guard case .missingSplit = error else { throw error }
            dataset = try location.open(.validation)
        }
        for note in dataset.notes { StatusLine.note(note) }
        return dataset
    }

    /// The run's own part of the data; nil where its run held out none of these images.
    private static func heldOut(
        _ path: String,
        _ split: DatasetSplit,
        for checkpoint: String
    ) throws -> (any ImageDataset)? {
        guard let share = HeldOutShare.find(for: checkpoint) else { return nil }
        guard let parts = try share.parts(of: path) else {
            if share.isCertain, split == .validation {
                StatusLine.note(
                    "warning: the model's run held out \(percent(share)) of its images for validation, and \(path) does "
                        + "not contain the same images: some of its images may be training images of the model; "
                        + "use the run's data or a separate test set"
                )
            }
            return nil
        }
        let dataset = split == .train ? parts.train : parts.validation
        for note in dataset.notes { StatusLine.note(note) }
        let part = split == .train ? "did not hold out" : "held out"
        StatusLine.note(
            "\(path) has no validation split: using the \(dataset.count) images that the model's run \(part)"
        )
        return dataset
    }

    private static func percent(_ share: HeldOutShare) -> String {
        String(format: "%g %%", share.fraction * 100)
    }
}
