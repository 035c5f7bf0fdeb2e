import ImagePipeline
import TestSupport
import Testing

@testable import Datasets

/// What several processes take of a batch is the batch.
struct BatchShareTests {
    @Test(arguments: [1, 2, 3, 4, 7]) func everyPlaceBelongsToOneProcess(size: Int) {
        for count in [0, 1, 2, 5, 8, 13, 64, 65] {
            let shares = (0..<size).map {
                BatchShare(rank: $0, size: size).places(inBatchOf: count)
            }
            #expect(shares.flatMap { $0 }.sorted() == Array(0..<count))
            for share in shares {
                #expect(share == share.sorted())
                // The mirror of a place is at the mirrored place of the share.
                #expect(share.reversed().map { count - 1 - $0 } == share)
            }
            let counts = shares.map(\.count)
            #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 3)
        }
    }

    @Test func stepsAreThoseOfTheWholeBatch() throws {
        let labels = (0..<53).map { $0 % 3 }
        for plan in [
            try EpochPlan(count: 53, batchSize: 8, seed: 3, dropsLast: true),
            try EpochPlan(count: 600, batchSize: 32, seed: 3, dropsLast: true, repeats: 3),
            try EpochPlan(count: 53, batchSize: 9, seed: 3, dropsLast: true, balancing: labels),
            try EpochPlan(count: 21, batchSize: 8, shuffles: false),
        ] {
            let parts = (0..<4).map { plan.shared(BatchShare(rank: $0, size: 4)) }
            #expect(parts.allSatisfy { $0.stepsPerEpoch == plan.stepsPerEpoch })
            for first in [0, 2] {
                let whole = plan.views(epoch: 5, startingAt: first)
                let views = parts.map { $0.views(epoch: 5, startingAt: first) }
                for step in whole.indices {
                    func key(_ view: EpochPlan.View) -> [Int] { [view.index, view.view] }
                    let all = views.flatMap { $0[step] }.map(key)
                    #expect(
                        all.sorted { $0.lexicographicallyPrecedes($1) }
                            == whole[step].map(key).sorted { $0.lexicographicallyPrecedes($1) }
                    )
                }
            }
        }
    }

    private static func transform() throws -> TrainingTransform {
        try TrainingTransform(
            operations: [.horizontalFlip(probability: 0.5)],
            channels: 1,
            mean: [0.5],
            std: [0.5]
        )
    }

    private func loader(
        _ share: BatchShare?,
        mode: Mixing.Mode?,
        batch: Int = 10
    ) throws -> DataLoader {
        let count = 31
        return try DataLoader(
            dataset: LevelDataset(
                levels: (0..<count).map { UInt8(8 * $0) },
                labels: (0..<count).map { $0 % 3 }
            ),
            transform: Self.transform(),
            plan: EpochPlan(count: count, batchSize: batch, seed: 9, dropsLast: true).shared(share),
            mixing: mode.map { Mixing(mode: $0) },
            smoothing: mode == nil ? 0 : 0.1,
            workers: 2
        )
    }

    /// Images, labels and targets of all processes are those of one, at the places of their shares.
    @Test(arguments: [nil, .batch, .pair, .elem] as [Mixing.Mode?], [10, 11])
    func mixedPartsAreThoseOfTheWholeBatch(mode: Mixing.Mode?, batch: Int) async throws {
        var whole: [ImageBatch] = []
        for try await made in try loader(nil, mode: mode, batch: batch).batches(epoch: 1) {
            whole.append(made)
        }
        #expect(whole.count == 31 / batch)
        for rank in 0..<3 {
            let share = BatchShare(rank: rank, size: 3)
            let places = share.places(inBatchOf: batch)
            var step = 0
            for try await part in try loader(share, mode: mode, batch: batch).batches(epoch: 1) {
                let all = whole[step]
                let pixels = all.pixels.count / batch
                #expect(part.indices == places.map { all.indices[$0] })
                #expect(part.labels == places.map { all.labels[$0] })
                #expect(
                    part.pixels
                        == places.flatMap { all.pixels[($0 * pixels)..<(($0 + 1) * pixels)] }
                )
                let targets = all.targets.map { targets in
                    places.flatMap { targets[(3 * $0)..<(3 * ($0 + 1))] }
                }
                #expect(part.targets == targets)
                step += 1
            }
            #expect(step == whole.count)
        }
    }

    /// Every image is measured once, although the last batch has fewer images than there are processes.
    @Test func measuringByPartsHasEveryImageOnce() async throws {
        var indices: [Int] = []
        for rank in 0..<4 {
            let loader = try DataLoader(
                dataset: LevelDataset(
                    levels: (0..<9).map { UInt8($0) },
                    labels: (0..<9).map { $0 % 3 }
                ),
                transform: Self.transform(),
                plan: EpochPlan(count: 9, batchSize: 8, shuffles: false)
                    .shared(BatchShare(rank: rank, size: 4)),
                policy: .drop(limit: 1)
            )
            for try await batch in loader.batches() { indices += batch.indices }
        }
        #expect(indices.sorted() == Array(0..<9))
    }
}
