import Foundation
import TestSupport
import Testing
import TorchNN

@testable import Training

/// The steps that fit into a time, and the schedule over them.
@Suite struct TimePlanTests {
    private func plan(
        _ time: Double,
        before: Double = 0,
        step: Double = 0.5,
        end: Double = 10,
        limit: Int = 100_000
    ) -> TimePlan {
        TimePlan(
            time,
            TimePlan.Pace(secondsPerStep: step, secondsPerEpochEnd: end),
            secondsBefore: before,
            stepsPerEpoch: 100,
            limit: limit
        )
    }

    @Test func fillsTheTime() {
        // An epoch takes 50 s and 10 s for its end.
        #expect(plan(600).steps == 1_000)
        // 30 s more: 10 s for an end and 20 s for 40 steps.
        #expect(plan(630).steps == 1_040)
        // Too little for a part with an end of its own.
        #expect(plan(608).steps == 1_000)
        #expect(plan(630, before: 30).steps == 1_000)
        #expect(plan(630).expectedSeconds(stepsPerEpoch: 100) == 630)
        for time in stride(from: 15.0, through: 3_000, by: 7) {
            let plan = plan(time, before: 3)
            let expected = plan.expectedSeconds(stepsPerEpoch: 100)
            // Never longer, and shorter by less than one end and one step.
            #expect(expected <= time + 1e-9 && expected > time - 10.5 - 1e-9, "\(time)")
        }
    }

    @Test func staysWithinItsBounds() {
        #expect(plan(600, limit: 700).steps == 700)
        #expect(plan(1, end: 10).steps == 1)
        #expect(plan(1e9, step: 0, end: 0, limit: 500).steps == 500)
    }

    @Test func isReadAsItWasWritten() throws {
        try withTemporaryFolder { folder in
            let run = try RunDirectory(path: folder.appending(path: "run").path, resume: false)
            #expect(try TimePlan.read(in: run.path) == nil)
            let plan = plan(630, before: 1.25)
            try plan.write(to: run)
            #expect(try TimePlan.read(in: run.path) == plan)
            try run.write(Array("{".utf8), to: TimePlan.fileName)
            #expect(throws: RunError.self) { try TimePlan.read(in: run.path) }
        }
    }

    private func runPlan(_ change: (inout TrainingOptions) -> Void) -> RunPlan {
        var options = TrainingOptions()
        options.epochs = 10
        options.batch = 10
        options.lr = 1
        options.lrScaling = false
        options.minLR = 0
        options.warmupLR = 0
        options.warmupEpochs = 2
        options.time = 60
        change(&options)
        return RunPlan(
            options: options,
            trainCount: 100,
            imagesPerEpoch: 100,
            validationCount: 1,
            classNames: ["a", "b"],
            parameterCount: 1,
            policy: ComputePolicy(),
            workers: 1
        )
    }

    /// A quarter of the steps: warm-up and cosine are a quarter as long, whatever unit the schedule has.
    @Test(arguments: [false, true]) func compressesTheSchedule(onUpdates: Bool) {
        let plan = runPlan { $0.schedOnUpdates = onUpdates }
        let whole = runPlan {
            $0.schedOnUpdates = true
            $0.time = nil
        }
        for step in 0..<25 {
            let rate = plan.learningRate(step: step, of: 25)
            #expect(abs(rate - whole.learningRate(step: 4 * step)) < 1e-12, "\(step)")
        }
        // The rate is 1 where the warm-up of 5 of 25 steps would end, and near 0 at the last step.
        #expect(plan.learningRate(step: 4, of: 25) < plan.learningRate(step: 5, of: 25))
        #expect(plan.learningRate(step: 6, of: 25) < plan.learningRate(step: 5, of: 25))
        #expect(plan.learningRate(step: 24, of: 25) < 0.01)
        // With all its steps, it is the schedule by steps.
        #expect(plan.learningRate(step: 37, of: 100) == whole.learningRate(step: 37))
    }

    @Test func decaysAreCompressedToo() {
        let plan = runPlan {
            $0.schedule = .step
            $0.warmupEpochs = 0
            $0.decayEpochs = 5
        }
        #expect(plan.learningRate(step: 11, of: 25) == 1)
        #expect(abs(plan.learningRate(step: 13, of: 25) - 0.1) < 1e-12)
    }
}
