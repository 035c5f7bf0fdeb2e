import Datasets
import Foundation
import ImagePipeline
import Testing

/// Debian's package `dataset-fashion-mnist`, where it is installed.
private let fashion = "/usr/share/datasets/fashion-mnist"

@Suite(
    .enabled(
        if: FileManager.default.fileExists(atPath: fashion),
        "needs Debian's package dataset-fashion-mnist"
    )
)
struct FashionMNISTTests {
    @Test func openWithNames() throws {
        let (train, validation) = try DatasetLocation(path: fashion).openBoth()
        #expect(train.count == 60_000)
        #expect(validation.count == 10_000)
        #expect(train.classNames == IDXDataset.fashionClassNames)
        let image = try train.image(at: 0)
        #expect(image.height == 28 && image.width == 28 && image.channels == 1)
        // The first training image is an ankle boot.
        #expect(train.label(at: 0) == 9)
        #expect(image.pixels.reduce(0) { $0 + Int($1) } == 76_247)
        #expect(train.name(at: 17) == "index 17 of \(fashion)/train-images-idx3-ubyte.gz")
    }

    @Test func stratifiedKeepsShares() throws {
        let part = try DatasetLocation(path: fashion)
            .open(.train, limit: .stratified(1003, seed: 5))
        #expect(part.count == 1003)
        var counts = [Int](repeating: 0, count: 10)
        for index in 0..<part.count { counts[part.label(at: index)] += 1 }
        #expect(counts.allSatisfy { (100...101).contains($0) })
    }

    @Test func loadsAnEpochOfNormalisedBatches() async throws {
        let data = try DatasetLocation(path: fashion).open(.validation, limit: .first(200))
        let processor = try ImageProcessor.whole(
            height: 28,
            width: 28,
            channels: 1,
            mean: [0.5],
            std: [0.25]
        )
        let plan = try EpochPlan(count: data.count, batchSize: 64, shuffles: false)
        let loader = try DataLoader(dataset: data, transform: processor, plan: plan, policy: .fail)
        var seen = 0
        for try await batch in loader.batches() {
            #expect(batch.shape == [min(64, 200 - seen), 1, 28, 28])
            #expect(batch.pixels.count == batch.count * 784)
            for (slot, index) in batch.indices.enumerated() {
                #expect(index == seen + slot)
                #expect(batch.labels[slot] == data.label(at: index))
                let expected = try data.image(at: index).pixels.map {
                    (Float($0) / 255 - 0.5) / 0.25
                }
                #expect(Array(batch.pixels[(slot * 784)..<((slot + 1) * 784)]) == expected)
            }
            seen += batch.count
        }
        #expect(seen == 200)
    }
}
