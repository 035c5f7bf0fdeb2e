import Testing

@testable import Datasets

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

    // MARK: - Balanced sampling

    /// 40, 3 and 10 images of three classes, and none of a fourth that lies between.
    private let labels = (0..<53).map { $0 < 40 ? 0 : $0 < 43 ? 1 : 3 }

    private func balanced(repeats: Int = 1, seed: UInt64 = 5) throws -> EpochPlan {
        try EpochPlan(count: 53, batchSize: 8, seed: seed, repeats: repeats, balancing: labels)
    }

    @Test func balancedEpochsHaveEquallyManyOfEachClass() throws {
        let plan = try balanced()
        var large: Set<Int> = []
        for epoch in 0..<20 {
            let order = plan.order(epoch: epoch)
            #expect(order.count == 53)
            let numbers = [0, 1, 3].map { label in order.count { labels[$0] == label } }
            #expect(numbers.sorted() == [17, 18, 18])
            // No image of a large class twice, and those of a small class equally often.
            let shown = Dictionary(grouping: order) { $0 }.mapValues(\.count)
            #expect((0..<40).allSatisfy { shown[$0, default: 0] <= 1 })
            #expect((40..<43).allSatisfy { [5, 6].contains(shown[$0, default: 0]) })
            #expect((43..<53).allSatisfy { [1, 2].contains(shown[$0, default: 0]) })
            large.formUnion(order.filter { $0 < 40 })
        }
        #expect(large.count == 40)
    }

    @Test func aBalancedOrderIsAFunctionOfSeedAndEpoch() throws {
        let plan = try balanced()
        #expect(try balanced().order(epoch: 3) == plan.order(epoch: 3))
        #expect(plan.order(epoch: 3) != plan.order(epoch: 4))
        #expect(try balanced(seed: 6).order(epoch: 3) != plan.order(epoch: 3))
        #expect(try balanced(seed: 6).reseeded(5) == plan)
        let all = plan.batches(epoch: 2)
        for step in 0...7 {
            #expect(plan.batches(epoch: 2, startingAt: step) == Array(all[step...]))
            #expect(
                plan.views(epoch: 2, startingAt: step)
                    == Array(plan.views(epoch: 2, startingAt: 0)[step...])
            )
        }
        // Pinned: a change would silently break the resuming of runs.
        #expect(Array(plan.order(epoch: 0).prefix(8)) == [41, 29, 44, 5, 46, 50, 49, 3])
    }

    /// Views of one image in one epoch that had one number would be augmented alike.
    @Test(arguments: [1, 3]) func balancedViewsDiffer(repeats: Int) throws {
        let plan = try balanced(repeats: repeats)
        let views = plan.views(epoch: 1, startingAt: 0).flatMap { $0 }
        #expect(views.count == 53)
        #expect(Set(views.map { "\($0.index) \($0.view)" }).count == 53)
        #expect(views.map(\.index) == plan.order(epoch: 1))
        let slots = stride(from: 0, to: 53, by: repeats).map { views[$0].index }
        let numbers = [0, 1, 3].map { label in slots.count { labels[$0] == label } }
        #expect((numbers.max() ?? 0) - (numbers.min() ?? 0) <= 1)
    }

    @Test func balancedSamplingNeedsAClassForEachImage() throws {
        #expect(throws: DatasetError.self) {
            try EpochPlan(count: 3, batchSize: 1, balancing: [0, 1])
        }
        #expect(throws: DatasetError.self) {
            try EpochPlan(count: 2, batchSize: 1, shuffles: false, balancing: [0, 1])
        }
    }
}
