import Datasets
import Foundation
import ImagePipeline
import Training

/// Labelled pictures to look at with a trained model.
enum LabelledData {
    /// Opens a part of the data, and tells what was noticed.
    ///
    /// Where the checkpoint is that of a run which held out a share of these very pictures, the parts are the run's: what
    /// it learnt from is not measured with.
    ///
    /// - Parameters:
    ///   - path: The folder, list or archive.
    ///   - split: The part.
    ///   - checkpoint: The checkpoint as the user named it.
    /// - Returns: The pictures.
    /// - Throws: `DatasetError`.
    static func open(
        _ path: String,
        _ split: DatasetSplit,
        for checkpoint: String
    ) throws -> any ImageDataset {
        let run = manifest(of: checkpoint).flatMap {
            isSame($0.options.data, path) ? $0.options : nil
        }
        let location = try DatasetLocation(
            path: path,
            valFraction: run?.valFraction,
            seed: run.map { UInt64(bitPattern: Int64($0.seed)) } ?? 0
        )
        let dataset = try location.open(split)
        for note in dataset.notes { StatusLine.note(note) }
        if run != nil, dataset is Subset {
            let part = split == .train ? "the run learnt from" : "the run held out in training"
            StatusLine.note("the data has no validation part: taken are the pictures that \(part)")
        }
        return dataset
    }

    /// What the run of a checkpoint tells of itself; nil where it belongs to none.
    private static func manifest(of checkpoint: String) -> RunManifest? {
        // A run, its folder of checkpoints, or one of those.
        ["", "/..", "/../.."].lazy.map { "\(checkpoint)\($0)/run.yaml" }
            .first { FileManager.default.fileExists(atPath: $0) }
            .flatMap { try? RunManifest.read($0) }
    }

    private static func isSame(_ one: String, _ other: String) -> Bool {
        func resolved(_ path: String) -> String {
            URL(filePath: path).resolvingSymlinksInPath().standardizedFileURL.path
        }
        return resolved(one) == resolved(other)
    }
}
