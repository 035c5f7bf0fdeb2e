import Foundation
import TestSupport
import Testing

/// Something to fine-tune from, and to.
enum TinyFineTuning {
    /// Options under which one epoch takes a moment.
    static let options = ["--dtype", "fp32", "--threads", "1", "--batch", "8", "--epochs", "1"]

    /// A folder with a short run `first` on digits of 8 pixels, and data of five other classes.
    static func afterTraining(_ body: (URL) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            try TinyData.writeIDX(to: folder.appending(path: "data"), train: 32, validation: 8)
            try TinyData.writeFolders(
                to: folder.appending(path: "other"),
                classes: ["a", "b", "c", "d", "e"],
                train: 8,
                validation: 2
            )
            let first = try await DeitCommand.run(
                ["train"] + TinyRun.options
                    + ["--epochs", "1", "--data", "data", "--output", "first"],
                in: folder
            )
            #expect(first.code == 0, "\(first.errors)")
            try await body(folder)
        }
    }
}
