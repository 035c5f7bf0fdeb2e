import Testing
import TorchNN

@testable import Training

/// What follows from the options: the learning rate of every step, and what is told of an epoch.
@Suite struct TrainingPlanTests {
    private func plan(_ change: (inout TrainingOptions) -> Void) -> RunPlan {
        var options = TrainingOptions()
        options.epochs = 10
        options.batch = 64
        options.warmupEpochs = 2
        change(&options)
        return RunPlan(
            options: options,
            trainCount: 650,
            imagesPerEpoch: 650,
            validationCount: 1,
            classNames: ["a", "b"],
            parameterCount: 1,
            policy: ComputePolicy(),
            workers: 1
        )
    }

    @Test func aRunOfFewStepsIsWarnedOf() {
        #expect(plan { $0.epochs = 4 }.warningOfFewSteps?.contains("only 40 steps") == true)
        #expect(plan { $0.epochs = 5 }.warningOfFewSteps == nil)
        #expect(
            plan { ($0.batch, $0.epochs) = (650, 1) }.warningOfFewSteps?.contains("1 step,")
                == true
        )
    }

    @Test func theClassesAreNamed() {
        let facts = plan { _ in }.facts
        #expect(facts.first { $0.name == "classes" }?.value == "2 classes: a, b")
    }

    private static let base = 5e-4 * 64 / 512
    private static let warm = 1e-6 + (base - 1e-6) / 2

    @Test func byStepsTheRateIsThatOfTheStep() {
        let plan = plan { $0.schedOnUpdates = true }
        #expect(plan.stepsPerEpoch == 10)
        #expect(plan.totalSteps == 100)
        #expect(plan.learningRate(step: 0) == 1e-6)
        #expect(abs(plan.learningRate(step: 10) - Self.warm) < 1e-12)
        #expect(abs(plan.learningRate(step: 50) - (1e-5 + (Self.base - 1e-5) / 2)) < 1e-12)
        #expect(plan.learningRate(step: 100) == 1e-5)
    }

    @Test func byEpochsAllItsStepsHaveTheValueAtTheEpoch() {
        let plan = plan { _ in }
        let rates = (0..<100).map { plan.learningRate(step: $0) }
        for epoch in 0..<10 {
            #expect(Set(rates[(10 * epoch)..<(10 * epoch + 10)]).count == 1)
        }
        #expect(rates[9] == 1e-6)
        #expect(abs(rates[10] - Self.warm) < 1e-12)
        #expect(abs(rates[59] - (1e-5 + (Self.base - 1e-5) / 2)) < 1e-12)
    }

    /// Every epoch, with the values of timm's `CosineLRScheduler(t_initial=10, lr_min=1e-5, warmup_t=2,
    /// warmup_lr_init=1e-6, warmup_prefix=False)` stepped after each epoch as in facebookresearch/deit `main.py`.
    @Test func theLagOfTheOriginalIsOneEpoch() {
        let lagging = plan { $0.lrLag = true }
        let exact = plan { _ in }
        let rates = (0..<10).map { lagging.learningRate(step: 10 * $0) }
        #expect(rates[0] == 1e-6 && rates[1] == 1e-6)
        #expect(Array(rates[1...]) == (0..<9).map { exact.learningRate(step: 10 * $0) })
    }

    @Test func aRunThatCannotLearnIsRefused() {
        func refusal(_ change: (inout TrainingOptions) -> Void) -> String {
            do throws(OptionError) {
                try plan(change).checkRates()
                return ""
            } catch {
                return error.description
            }
        }
        #expect(refusal { $0.epochs = 2 } == "")
        let longer = refusal { $0.warmupEpochs = 11 }
        #expect(longer.contains("11.0") && longer.contains("run of 10:"), "\(longer)")
        // By epochs, the first epoch has the rate at the start of the warm-up.
        func first(_ change: (inout TrainingOptions) -> Void) -> String {
            refusal {
                $0.epochs = 1
                $0.warmupEpochs = 0.5
                $0.warmupLR = 0
                change(&$0)
            }
        }
        #expect(first { _ in }.contains("10 steps"))
        #expect(first { $0.warmupLR = 1e-6 } == "")
        #expect(first { $0.warmupEpochs = 0 } == "")
        #expect(first { $0.schedOnUpdates = true } == "")
        let single = first {
            $0.schedOnUpdates = true
            $0.batch = 650
        }
        #expect(single.contains("one step") && single.contains("--warmup-epochs 0"), "\(single)")
    }

    @Test func theEffectiveRateIsScaledByTheWholeBatch() {
        let plan = plan {
            $0.batch = 128
            $0.accumulation = 4
        }
        let facts = Dictionary(plan.facts.map { ($0.name, $0.value) }) { first, _ in first }
        #expect(facts["effective_lr"] == "0.000125 (= 0.0005 × 128/512)")
        #expect(
            facts["steps_per_epoch"]
                == "5, each of 128 images in 4 parts of 32; each epoch uses 217 of 650 images, 3 times each"
        )
    }

    @Test func whatMakesNoSenseIsNoted() {
        let names = plan {
            $0.warmupEpochs = 10
            $0.ema = 0.99996
        }
        .facts.map(\.name)
        #expect(names.contains("warmup_note") && names.contains("ema_note"))
    }
}
