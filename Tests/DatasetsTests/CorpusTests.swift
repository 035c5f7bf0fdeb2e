import Foundation
import TestSupport
import Testing

@testable import Datasets

/// The inputs that fuzzing found worth keeping (`make fuzz`): a typed error or a value, never a trap, a hang or much memory.
@Suite struct CorpusTests {
    /// Runs a parser over every file of a folder of the corpus.
    ///
    /// - Returns: The number of files, and how many were refused with a sentence.
    private static func run(
        _ folder: String,
        _ parse: (URL, [UInt8]) throws(DatasetError) -> Void
    ) throws -> (files: Int, refused: Int) {
        let corpus = Checkout.root.appending(path: "Tests/DatasetsTests/Fixtures/Corpus/\(folder)")
        let files = try FileManager.default.contentsOfDirectory(
            at: corpus,
            includingPropertiesForKeys: nil
        )
        var refused = 0
        for file in files {
            let bytes = Array(try Data(contentsOf: file))
            do throws(DatasetError) {
                try parse(file, bytes)
            } catch {
                refused += 1
                #expect(error.description.contains(file.lastPathComponent), "\(error)")
            }
        }
        return (files.count, refused)
    }

    @Test func pickles() throws {
        for key in ["labels", "fine_labels"] {
            let (files, refused) = try Self.run("cifar") { file, bytes throws(DatasetError) in
                let batch = try CIFARBatch(pickle: bytes, key: key, path: file.path)
                #expect(batch.pixels.count == batch.labels.count * CIFARDataset.image)
            }
            #expect(files > 4 && refused < files)
        }
    }
}
