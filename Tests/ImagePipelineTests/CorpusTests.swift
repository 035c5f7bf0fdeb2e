import Foundation
import TestSupport
import Testing

@testable import ImagePipeline

/// The inputs that fuzzing found worth keeping (`make fuzz`): an orientation, never a trap.
@Suite struct CorpusTests {
    @Test func orientations() throws {
        let files = try FileManager.default.contentsOfDirectory(
            at: Checkout.root.appending(path: "Tests/ImagePipelineTests/Fixtures/Corpus/exif"),
            includingPropertiesForKeys: nil
        )
        #expect(files.count > 2)
        for file in files {
            let bytes = Array(try Data(contentsOf: file))
            let orientations = bytes.withUnsafeBytes { bytes in
                ImageFormat.allCases.map { exifOrientation(of: $0, bytes) }
            }
            #expect(orientations.allSatisfy { (1...8).contains($0) }, "\(file.path)")
            // Each seed was saved turned, in one of the formats.
            if file.lastPathComponent.hasPrefix("seed-") { #expect(orientations.contains(6)) }
        }
    }
}
