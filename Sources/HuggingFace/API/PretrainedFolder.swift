import Checkpoints
import Foundation

/// The folder that `savePretrained` writes into, beside what is there already.
enum PretrainedFolder {
    /// Makes a folder where there is none.
    static func make(_ path: String) throws(CheckpointError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true
            )
        } catch {
            throw CheckpointError.unwritable(path: path, reason: error.localizedDescription)
        }
    }
}
