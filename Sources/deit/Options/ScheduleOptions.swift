import ArgumentParser
import Training

/// The flags of the length of a run and of its learning rate.
struct ScheduleOptions: ParsableArguments {
    @Option(help: .field("epochs")) var epochs: String?
    @Option(help: .field("batch")) var batch: String?
    @Option(help: .field("accumulation")) var accumulation: String?
    @Option(help: .field("lr")) var lr: String?
    @Option(help: .field("lr_scaling")) var lrScaling: String?
    @Option(help: .field("min_lr")) var minLr: String?
    @Option(help: .field("warmup_lr")) var warmupLr: String?
    @Option(help: .field("warmup_epochs")) var warmupEpochs: String?
    @Option(help: .field("schedule")) var schedule: String?
    @Option(help: .field("decay_epochs")) var decayEpochs: String?
    @Option(help: .field("decay_rate")) var decayRate: String?
    @Option(help: .field("sched_on_updates")) var schedOnUpdates: String?
    @Option(help: .field("lr_lag")) var lrLag: String?

    var flags: [OptionText] {
        [
            OptionText("epochs", epochs), OptionText("batch", batch),
            OptionText("accumulation", accumulation), OptionText("lr", lr),
            OptionText("lr_scaling", lrScaling), OptionText("min_lr", minLr),
            OptionText("warmup_lr", warmupLr), OptionText("warmup_epochs", warmupEpochs),
            OptionText("schedule", schedule), OptionText("sched_on_updates", schedOnUpdates),
            OptionText("lr_lag", lrLag), OptionText("decay_epochs", decayEpochs),
            OptionText("decay_rate", decayRate),
        ]
    }
}
