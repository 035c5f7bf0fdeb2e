import Datasets
import Evaluation
import Foundation
import Inference
import Storage
import Training

/// The command that a run's last line advises: it works as printed, from the folder where the run was started.
enum NextCommand {
    /// What to do with a run that is done.
    ///
    /// - Parameters:
    ///   - plan: What the run did.
    ///   - output: The run's folder.
    /// - Returns: A line for a shell.
    static func line(after plan: RunPlan, output: String) -> String {
        let (run, data) = (ShellLine.argument(output), plan.options.data)
        let named = ShellLine.option("--data", data)
        if plan.options.method == .supervised {
            return ShellLine.line(["deit", "evaluate", run] + named)
        }
        // Validation images of a run without labels have labels, of two classes or more.
        if plan.validationCount > 0 {
            return ShellLine.line(["deit", "evaluate", run] + named + ["--knn"])
        }
        return ShellLine.line(
            ["deit", "features", run] + images(data) + ["--output", "features.npy"]
        )
    }

    /// The arguments that name all images that the run learned from.
    private static func images(_ data: String) -> [String] {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: data, isDirectory: &isFolder), isFolder.boolValue,
            let list = try? ImageFileList(paths: [data]), list.count > 0
        {
            return [ShellLine.argument(data)]
        }
        // A list, an archive or samples in one file.
        let hasTraining = (try? DatasetLocation(path: data).open(.train)) != nil
        return ShellLine.option("--data", data) + (hasTraining ? ["--split", "train"] : [])
    }
}
