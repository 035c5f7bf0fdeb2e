import Datasets
import Foundation
import ImagePipeline
import Synchronization
import Testing

/// Images made from their index; those in `broken` cannot be read.
private final class MadeUpDataset: ImageDataset {
    let count: Int
    let broken: Set<Int>
    let classNames = ["even", "odd"]
    let reads = Mutex(0)

    init(count: Int, broken: Set<Int> = []) {
        self.count = count
        self.broken = broken
    }

    func label(at index: Int) -> Int { index % 2 }

    func name(at index: Int) -> String { "image \(index)" }

    func image(at index: Int) throws(ImageError) -> Image {
        reads.withLock { $0 += 1 }
        if broken.contains(index) { throw .notAnImage }
        return try Image(
            height: 6,
            width: 8,
            channels: 1,
            pixels: (0..<48).map { UInt8(truncatingIfNeeded: index &* 31 &+ $0) }
        )
    }
}

/// Files made from their index, which counts how often they are read.
private final class FileDataset: ImageDataset {
    let count = 20
    let classNames = ["only"]
    let reads = Mutex(0)

    func label(at index: Int) -> Int { 0 }
    func name(at index: Int) -> String { "file \(index)" }
    func image(at index: Int) throws(ImageError) -> Image { try file(index).decoded() }

    func encodedImage(at index: Int) throws(ImageError) -> EncodedImage? {
        reads.withLock { $0 += 1 }
        return try file(index)
    }

    func file(_ index: Int) throws(ImageError) -> EncodedImage {
        let samples = (0..<80).map { UInt8(truncatingIfNeeded: index &* 37 &+ $0 &* $0) }
        let png = TinyPNG.data(height: 8, width: 10, samples: samples)
        return try EncodedImage(Array(png))
    }
}

/// Sizes that differ from image to image.
private struct GrowingDataset: ImageDataset {
    let count = 4
    let classNames = ["only"]
    func label(at index: Int) -> Int { 0 }
    func name(at index: Int) -> String { "image \(index)" }
    func image(at index: Int) throws(ImageError) -> Image {
        try Image(
            height: index + 1,
            width: 1,
            channels: 1,
            pixels: [UInt8](repeating: 0, count: index + 1)
        )
    }
}

/// An actor, as the one that a model runs on.
private actor Consumer {
    func batches(of loader: DataLoader, epoch: Int, from step: Int = 0) async throws -> [ImageBatch]
    {
        var batches: [ImageBatch] = []
        for try await batch in loader.batches(epoch: epoch, startingAt: step) {
            batches.append(batch)
        }
        return batches
    }
}

@Suite(.timeLimit(.minutes(20)))
struct DataLoaderTests {
    private func transform() throws -> TrainingTransform {
        try TrainingTransform(
            operations: [
                .randomCrop(RandomCrop(height: 6, width: 8, padding: 2)),
                .horizontalFlip(probability: 0.5),
            ],
            channels: 1,
            mean: [0.5],
            std: [0.5]
        )
    }

    private func loader(
        _ dataset: any ImageDataset,
        workers: Int = 2,
        batch: Int = 7,
        policy: UnreadablePolicy? = nil
    ) throws -> DataLoader {
        try DataLoader(
            dataset: dataset,
            transform: try transform(),
            plan: try EpochPlan(count: dataset.count, batchSize: batch, seed: 9),
            workers: workers,
            policy: policy
        )
    }

    @Test func resultsDoNotDependOnWorkers() async throws {
        let broken: Set<Int> = [3, 4, 50, 99]
        var reference: [[ImageBatch]] = []
        var report: SkippedImages?
        for workers in [1, 2, 5, 16] {
            let loader = try loader(MadeUpDataset(count: 100, broken: broken), workers: workers)
            var epochs: [[ImageBatch]] = []
            for epoch in 0..<3 {
                epochs.append(try await Consumer().batches(of: loader, epoch: epoch))
            }
            if reference.isEmpty {
                reference = epochs
                report = loader.skipped
            }
            #expect(epochs == reference)
            #expect(loader.skipped == report)
        }
        #expect(reference[0] != reference[1])
        #expect(reference.allSatisfy { $0.map(\.count) == [Int](repeating: 7, count: 14) + [2] })
        #expect(report?.count == 4)
    }

    /// Images so large that a batch is made in several parts.
    private func largeLoader(
        workers: Int,
        broken: Set<Int> = [],
        repeats: Int = 1,
        mixing: Mixing? = nil,
        policy: UnreadablePolicy? = nil
    ) throws -> DataLoader {
        try DataLoader(
            dataset: MadeUpDataset(count: 50, broken: broken),
            transform: try TrainingTransform(
                operations: [.randomResizedCrop(RandomResizedCrop(height: 448, width: 448))],
                channels: 1,
                mean: [0.5],
                std: [0.5]
            ),
            plan: try EpochPlan(count: 50, batchSize: 15, seed: 2, repeats: repeats),
            mixing: mixing,
            smoothing: mixing == nil ? 0 : 0.1,
            workers: workers,
            policy: policy
        )
    }

    @Test func batchesMadeInPartsDoNotDependOnWorkers() async throws {
        let policies: [UnreadablePolicy] = [.replace(limit: 10), .drop(limit: 10)]
        for policy in policies {
            var reference: [ImageBatch] = []
            for workers in [1, 2, 7] {
                let loader = try largeLoader(
                    workers: workers,
                    broken: [3, 4, 30],
                    repeats: 2,
                    policy: policy
                )
                let batches = try await Consumer().batches(of: loader, epoch: 1)
                if reference.isEmpty { reference = batches }
                #expect(batches == reference)
                #expect(
                    try await Consumer().batches(of: loader, epoch: 1, from: 2) == batches.suffix(2)
                )
            }
            let shown = reference.map(\.count).reduce(0, +)
            #expect(policy == .replace(limit: 10) ? shown == 50 : shown < 50 && shown >= 44)
        }
    }

    @Test func everyRepeatIsAnotherView() async throws {
        let plan = try largeLoader(workers: 2, repeats: 3)
        let batch = try await Consumer().batches(of: plan, epoch: 0)[0]
        #expect(batch.indices == Array(plan.plan.order(epoch: 0)[..<15]))
        #expect(batch.indices[0] == batch.indices[2] && batch.indices[2] != batch.indices[3])
        let sample = batch.pixels.count / batch.count
        let views = Set((0..<3).map { Array(batch.pixels[($0 * sample)..<(($0 + 1) * sample)]) })
        #expect(views.count == 3)
        // The first view is the one that is seen without repeats.
        let single = try largeLoader(workers: 2)
        let first = try await Consumer().batches(of: single, epoch: 0)[0]
        #expect(first.indices[0] == batch.indices[0])
        #expect(first.pixels[..<sample] == batch.pixels[..<sample])
    }

    /// What is alike in the views of a file is made once, and they are what they are one by one.
    @Test func viewsOfAFileInARowReadItOnce() async throws {
        let resize = ImageOperation.resize(.exact(height: 6, width: 6), interpolation: .bicubic)
        let crop = ImageOperation.randomCrop(RandomCrop(height: 6, width: 6, padding: 2))
        for (operations, reads) in [
            ([resize, crop, .horizontalFlip(probability: 0.5)], 1),
            // Where chance comes first there is nothing to keep.
            ([.randomResizedCrop(RandomResizedCrop(height: 6, width: 6))], 3),
        ] {
            let dataset = FileDataset()
            let transform = try TrainingTransform(
                operations: operations,
                channels: 1,
                mean: [0.5],
                std: [0.5]
            )
            let loader = try DataLoader(
                dataset: dataset,
                transform: transform,
                plan: try EpochPlan(count: 20, batchSize: 9, seed: 4, repeats: 3),
                workers: 1
            )
            let batch = try await Consumer().batches(of: loader, epoch: 1)[0]
            #expect(batch.indices[0] == batch.indices[2] && batch.indices[2] != batch.indices[3])
            // Other batches are made ahead; all of them have three views of every image but the last.
            let shown = Set(loader.plan.order(epoch: 1)).count
            #expect(dataset.reads.withLock { $0 } <= reads * shown + 2 * reads)
            let sample = batch.pixels.count / batch.count
            for (place, index) in batch.indices.enumerated() {
                var generator = SplitMix64(seed: 4, epoch: 1, index: index, view: place % 3)
                var expected = [Float](repeating: 0, count: sample)
                try expected.withUnsafeMutableBufferPointer { buffer in
                    try transform.write(
                        dataset.file(index),
                        into: buffer,
                        using: &generator,
                        scratch: ImageScratch()
                    )
                }
                #expect(Array(batch.pixels[(place * sample)..<((place + 1) * sample)]) == expected)
            }
        }
    }

    @Test func partsDroppedInBetweenLeaveNoGap() async throws {
        let whole = try await Consumer().batches(
            of: try largeLoader(workers: 3, policy: .drop(limit: 5)),
            epoch: 0
        )
        let lost = whole[0].indices[5]
        let rest = try await Consumer().batches(
            of: try largeLoader(workers: 3, broken: [lost], policy: .drop(limit: 5)),
            epoch: 0
        )
        let sample = whole[0].pixels.count / 15
        #expect(rest[0].count == 14 && rest[0].indices == whole[0].indices.filter { $0 != lost })
        var expected = whole[0].pixels
        expected.removeSubrange((5 * sample)..<(6 * sample))
        #expect(rest[0].pixels == expected)
    }

    @Test(arguments: Mixing.Mode.allCases)
    func mixingDoesNotDependOnWorkersOrResuming(mode: Mixing.Mode) async throws {
        var reference: [ImageBatch] = []
        for workers in [1, 2, 7] {
            let loader = try largeLoader(
                workers: workers,
                broken: [9],
                repeats: 3,
                mixing: Mixing(mode: mode),
                policy: .drop(limit: 10)
            )
            let batches = try await Consumer().batches(of: loader, epoch: 3)
            if reference.isEmpty { reference = batches }
            #expect(batches == reference)
            for step in 1..<4 {
                let rest = try await Consumer().batches(of: loader, epoch: 3, from: step)
                #expect(rest == Array(reference[step...]))
            }
        }
        // Batches of 15 are odd; the last one is even.
        #expect(reference.map(\.count).contains { $0 % 2 == 1 })
    }

    @Test func mixedBatchesHaveTargets() async throws {
        let plain = try await Consumer().batches(of: try largeLoader(workers: 2), epoch: 0)
        let mixed = try await Consumer().batches(
            of: try largeLoader(workers: 2, mixing: Mixing()),
            epoch: 0
        )
        #expect(plain.allSatisfy { $0.targets == nil })
        try #require(mixed.count == 4 && plain.count == 4)
        for (step, batch) in mixed.enumerated() {
            #expect(batch.indices == plain[step].indices && batch.labels == plain[step].labels)
            // The plan is a function of seed, epoch and step, and nothing else.
            var generator = SplitMix64(seed: 2, epoch: 0, index: -2, view: step)
            let plan = try Mixing().plan(
                count: batch.count,
                height: 448,
                width: 448,
                using: &generator
            )
            var pixels = plain[step].pixels
            try plan.apply(to: &pixels, channels: 1)
            #expect(batch.pixels == pixels)
            let targets = try plan.targets(labels: batch.labels, classes: 2, smoothing: 0.1)
            #expect(targets.count == 2 * batch.count && batch.targets == targets)
        }
        #expect(mixed.map(\.pixels) != plain.map(\.pixels))
    }

    @Test func mixingNeedsTwoClasses() throws {
        let plan = try EpochPlan(count: 4, batchSize: 2)
        let processor = try ImageProcessor(resize: .none, channels: 1, mean: [0], std: [1])
        let error = #expect(throws: DatasetError.self) {
            try DataLoader(
                dataset: GrowingDataset(),
                transform: processor,
                plan: plan,
                mixing: Mixing()
            )
        }
        #expect("\(error as Any)".contains("at least two classes"))
        for smoothing in [-0.1, 1, .nan] {
            #expect(throws: DatasetError.self) {
                try DataLoader(
                    dataset: GrowingDataset(),
                    transform: processor,
                    plan: plan,
                    smoothing: smoothing
                )
            }
        }
        #expect(throws: DatasetError.self) {
            try largeLoader(workers: 1, mixing: Mixing(probability: 2))
        }
    }

    @Test func goesOnInTheMiddleOfAnEpoch() async throws {
        let loader = try loader(MadeUpDataset(count: 60))
        let whole = try await Consumer().batches(of: loader, epoch: 4)
        #expect(whole.count == 9)
        for step in [1, 5, 8, 9] {
            #expect(
                try await Consumer().batches(of: loader, epoch: 4, from: step)
                    == Array(whole[step...])
            )
        }
    }

    @Test func theNextReadableImageTakesThePlace() async throws {
        let data = MadeUpDataset(count: 20, broken: [5, 6, 19])
        let loader = try loader(data, batch: 20)
        let batches = try await Consumer().batches(of: loader, epoch: 0)
        let expected = loader.plan.order(epoch: 0).map { [5: 7, 6: 7, 19: 0][$0] ?? $0 }
        #expect(batches[0].indices == expected)
        #expect(batches[0].labels == expected.map { $0 % 2 })
        #expect(loader.skipped.count == 3)
        #expect(Set(loader.skipped.first.map(\.name)) == ["image 5", "image 6", "image 19"])
        #expect(loader.skipped.listing.contains("is not a JPEG"))
    }

    @Test func droppingMakesBatchesSmallerAndLeavesOutEmptyOnes() async throws {
        let loader = try DataLoader(
            dataset: MadeUpDataset(count: 10, broken: [0, 1, 2, 3, 7]),
            transform: try transform(),
            plan: try EpochPlan(count: 10, batchSize: 4, shuffles: false),
            policy: .drop(limit: 5)
        )
        let batches = try await Consumer().batches(of: loader, epoch: 0)
        #expect(batches.map(\.indices) == [[4, 5, 6], [8, 9]])
        #expect(batches.map(\.pixels.count) == [3 * 48, 2 * 48])
        #expect(loader.skipped.count == 5)
    }

    @Test func failingNamesTheImage() async throws {
        let loader = try loader(MadeUpDataset(count: 20, broken: [5]), policy: .fail)
        let error = await #expect(throws: DatasetError.self) {
            try await Consumer().batches(of: loader, epoch: 0)
        }
        #expect(error == .unreadableImage(name: "image 5", error: .notAnImage))
    }

    @Test func tooManyUnreadableEndTheIteration() async throws {
        let loader = try loader(
            MadeUpDataset(count: 100, broken: Set(20..<35)),
            policy: .replace(limit: 12)
        )
        let error = await #expect(throws: DatasetError.self) {
            try await Consumer().batches(of: loader, epoch: 0)
        }
        guard case .tooManyUnreadable(let skipped) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(skipped.count > 12 && skipped.limit == 12 && skipped.first.count == 10)
        #expect("\(error as Any)".contains("and \(skipped.count - 10) more"))
    }

    @Test func aImageIsCountedOnce() async throws {
        let loader = try loader(
            MadeUpDataset(count: 30, broken: [3, 8]),
            policy: .replace(limit: 2)
        )
        for epoch in 0..<5 { _ = try await Consumer().batches(of: loader, epoch: epoch) }
        #expect(loader.skipped.count == 2)
    }

    @Test func nothingReadable() async throws {
        let loader = try loader(
            MadeUpDataset(count: 5, broken: [0, 1, 2, 3, 4]),
            policy: .replace(limit: 100)
        )
        let error = await #expect(throws: DatasetError.self) {
            try await Consumer().batches(of: loader, epoch: 0)
        }
        guard case .noReplacement = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func differentSizesAreTheTransformsFault() async throws {
        let processor = try ImageProcessor(resize: .none, channels: 1, mean: [0], std: [1])
        let loader = try DataLoader(
            dataset: GrowingDataset(),
            transform: processor,
            plan: try EpochPlan(count: 4, batchSize: 2)
        )
        let error = await #expect(throws: DatasetError.self) {
            try await Consumer().batches(of: loader, epoch: 0)
        }
        #expect("\(error as Any)".contains("the transform needs a crop"))
    }

    @Test func workStopsWithTheIterator() async throws {
        let data = MadeUpDataset(count: 100_000)
        let loader = try loader(data, workers: 2, batch: 100)
        func takeTwo() async throws {
            var iterator = loader.batches(epoch: 0).makeAsyncIterator()
            _ = try await iterator.next()
            _ = try await iterator.next()
        }
        try await takeTwo()
        // No more than what was under way: two taken and twice the workers ahead.
        var before = -1
        var now = data.reads.withLock { $0 }
        while now != before {
            before = now
            try await Task.sleep(for: .milliseconds(50))
            now = data.reads.withLock { $0 }
        }
        #expect(now <= 6 * 100)
    }

    @Test func cancellationIsAnErrorNotAnEnd() async throws {
        let loader = try loader(MadeUpDataset(count: 5000), batch: 5)
        let task = Task { try await Consumer().batches(of: loader, epoch: 0).count }
        task.cancel()
        let error = await #expect(throws: DatasetError.self) { try await task.value }
        #expect(error == .cancelled)
    }

    @Test func refusesWhatDoesNotFit() throws {
        let data = MadeUpDataset(count: 10)
        #expect(throws: DatasetError.self) {
            try DataLoader(
                dataset: data,
                transform: try transform(),
                plan: try EpochPlan(count: 9, batchSize: 3)
            )
        }
        for workers in [0, -1, 100_000] {
            #expect(throws: DatasetError.self) { try loader(data, workers: workers) }
        }
        #expect(UnreadablePolicy.usualLimit(count: 50) == 10)
        #expect(UnreadablePolicy.usualLimit(count: 60_000) == 600)
    }
}
