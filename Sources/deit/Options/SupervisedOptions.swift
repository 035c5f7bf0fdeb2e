import ArgumentParser

/// The flags that `deit train` and `deit finetune` share: all of a run that learns from labels or from a teacher, but what it
/// starts from.
struct SupervisedOptions: ParsableArguments {
    @OptionGroup(title: "The run") var run: RunOptions
    @OptionGroup(title: "Images") var data: DataOptions
    @OptionGroup(title: "Augmentation") var augmentation: AugmentationOptions
    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Teacher") var distillation: DistillationOptions
    @OptionGroup(title: "Length and learning rate") var schedule: ScheduleOptions
    @OptionGroup(title: "Optimiser") var optimizer: OptimizerOptions

    var flags: [OptionText] {
        run.flags + data.flags + augmentation.flags + model.flags + distillation.flags
            + schedule.flags + optimizer.flags
    }
}
