import Datasets
import Foundation
import ImagePipeline
import Training

/// How many images a loader delivers in a second if they are consumed at once.
struct Pace {
    /// The rate after two batches that are not counted.
    let imagesPerSecond: Double
    /// How many images were counted.
    let images: Int

    init(of loader: DataLoader, seconds: Double) async throws {
        let clock = ContinuousClock()
        var start = clock.now
        var batches = 0
        var images = 0
        var epoch = 0
        // What was made ahead before the first image counted equals what is made ahead after the last.
        measurement: while true {
            for try await batch in loader.batches(epoch: epoch) {
                batches += 1
                if batches > 2 { images += batch.count }
                if batches == 2 { start = clock.now }
                if batches > 3, clock.now - start >= .seconds(seconds) { break measurement }
            }
            epoch += 1
        }
        self.images = images
        imagesPerSecond = Double(images) / ((clock.now - start) / .seconds(1))
    }
}

/// Times the parts of the work on single images, one after the other on one thread.
struct StageSampler {
    private let images: RecipeImages
    private let first: TrainingTransform
    private let rest: TrainingTransform
    private let last: TrainingTransform

    init(_ images: RecipeImages) throws {
        self.images = images
        let whole = images.transform
        func part(
            _ operations: [ImageOperation],
            erasing: RandomErasing? = nil
        ) throws
            -> TrainingTransform
        {
            try TrainingTransform(
                operations: operations,
                channels: whole.channels,
                mean: whole.normalization.mean,
                std: whole.normalization.std,
                erasing: erasing,
                appliesOrientation: whole.appliesOrientation
            )
        }
        first = try part(Array(whole.operations.prefix(1)))
        rest = try part(Array(whole.operations.dropFirst()))
        last = try part([], erasing: whole.erasing)
    }

    /// Goes through the images for a while; the first few are not counted.
    func measure(seconds: Double) throws -> PipelineThroughput.Stages {
        let clock = ContinuousClock()
        let scratch = ImageScratch()
        let (height, width) = images.size
        var output = [Float](repeating: 0, count: images.transform.channels * height * width)
        var sums = [Duration](repeating: .zero, count: 4)
        let start = clock.now
        var count = -10
        while count < 10 || clock.now - start < .seconds(seconds) {
            let times = try sample(count + 10, clock, scratch, &output)
            if count >= 0 { for (i, time) in times.enumerated() { sums[i] += time } }
            count += 1
        }
        func mean(_ stage: Int) -> Double { sums[stage] / .milliseconds(1) / Double(count) }
        return PipelineThroughput.Stages(
            read: mean(0),
            decodeAndResize: mean(1),
            augment: mean(2),
            normalize: mean(3),
            mixAndBatch: 0
        )
    }

    private func sample(
        _ step: Int,
        _ clock: ContinuousClock,
        _ scratch: ImageScratch,
        _ output: inout [Float]
    ) throws -> [Duration] {
        let index = step % images.dataset.count
        var generator = SplitMix64(seed: 0, epoch: step, index: index)
        let start = clock.now
        var image: Image
        let read: ContinuousClock.Instant
        if let file = try images.dataset.encodedImage(at: index) {
            read = clock.now
            image = try first.augment(file, using: &generator, scratch: scratch)
        } else {
            image = try images.dataset.image(at: index)
            read = clock.now
            image = try first.augment(image, using: &generator)
        }
        let resized = clock.now
        image = try rest.augment(image, using: &generator)
        let augmented = clock.now
        try output.withUnsafeMutableBufferPointer {
            try last.write(image, into: $0, using: &generator)
        }
        return [
            read - start, resized - read, augmented - resized, clock.now - augmented,
        ]
    }
}
