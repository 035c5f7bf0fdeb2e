import Datasets
import Testing

struct EpochPlanTests {
    @Test func everyEpochHasEveryImageOnce() throws {
        for (count, size) in [(1, 1), (10, 3), (9, 3), (7, 10), (100, 32)] {
            let plan = try EpochPlan(count: count, batchSize: size, seed: 4)
            for epoch in 0..<3 {
                let batches = plan.batches(epoch: epoch)
                #expect(batches.count == plan.stepsPerEpoch)
                #expect(batches.joined().sorted() == Array(0..<count))
                #expect(batches.dropLast().allSatisfy { $0.count == size })
            }
        }
    }

    @Test func orderIsAFunctionOfSeedAndEpoch() throws {
        let plan = try EpochPlan(count: 50, batchSize: 8, seed: 1)
        #expect(plan.order(epoch: 3) == plan.order(epoch: 3))
        let other = try EpochPlan(count: 50, batchSize: 8, seed: 2)
        #expect(plan.order(epoch: 3) != plan.order(epoch: 4))
        #expect(plan.order(epoch: 3) != other.order(epoch: 3))
        // Pinned: a change would silently break the resuming of runs.
        #expect(Array(plan.order(epoch: 0).prefix(5)) == [13, 22, 5, 4, 41])
        let straight = try EpochPlan(count: 50, batchSize: 8, shuffles: false)
        #expect(straight.order(epoch: 3) == Array(0..<50))
    }

    @Test func goesOnInTheMiddle() throws {
        let plan = try EpochPlan(count: 50, batchSize: 8, seed: 1, dropsLast: true)
        let all = plan.batches(epoch: 2)
        #expect(all.count == 6)
        for step in 0...6 {
            #expect(plan.batches(epoch: 2, startingAt: step) == Array(all[step...]))
        }
        #expect(plan.batches(epoch: 2, startingAt: 7).isEmpty)
        #expect(plan.batches(epoch: 2, startingAt: -1) == all)
    }

    @Test func refusesEpochsWithoutSteps() throws {
        #expect(throws: DatasetError.self) { try EpochPlan(count: 0, batchSize: 1) }
        #expect(throws: DatasetError.self) { try EpochPlan(count: 5, batchSize: 0) }
        let error = #expect(throws: DatasetError.self) {
            try EpochPlan(count: 5, batchSize: 6, dropsLast: true)
        }
        #expect("\(error as Any)".contains("batch of 6 is larger than the data of 5"))
    }

    @Test func repeatsShowViewsInARow() throws {
        // RASampler in one process for 1000 images: 1000 / 256 * 256 = 768 positions of 0, 0, 0, 1, 1, 1, …
        let plan = try EpochPlan(count: 1000, batchSize: 64, shuffles: false, repeats: 3)
        #expect(plan.viewsPerEpoch == 768 && plan.stepsPerEpoch == 12)
        #expect(plan.order(epoch: 5) == (0..<768).map { $0 / 3 })
        #expect(plan.batches(epoch: 0).flatMap { $0 } == plan.order(epoch: 0))
        let shuffled = try EpochPlan(count: 1000, batchSize: 100, seed: 3, repeats: 3)
        let plain = try EpochPlan(count: 1000, batchSize: 100, seed: 3)
        #expect(shuffled.order(epoch: 2) == (0..<768).map { plain.order(epoch: 2)[$0 / 3] })
        #expect(shuffled.batches(epoch: 2).map(\.count) == [Int](repeating: 100, count: 7) + [68])
        #expect(
            shuffled.batches(epoch: 2, startingAt: 4) == Array(shuffled.batches(epoch: 2)[4...])
        )
    }

    @Test func repeatsOfFewImagesHaveSteps() throws {
        // The original has an epoch without a single step below 256 images.
        let plan = try EpochPlan(count: 10, batchSize: 4, shuffles: false, repeats: 3)
        #expect(plan.order(epoch: 0) == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3])
        #expect(plan.stepsPerEpoch == 3)
        let error = #expect(throws: DatasetError.self) {
            try EpochPlan(count: 600, batchSize: 550, dropsLast: true, repeats: 2)
        }
        #expect("\(error as Any)".contains("data of 512"))
        for repeats in [0, -1, 1001] {
            #expect(throws: DatasetError.self) {
                try EpochPlan(count: 10, batchSize: 4, repeats: repeats)
            }
        }
    }
}
