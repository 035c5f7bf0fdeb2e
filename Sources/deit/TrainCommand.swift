import ArgumentParser
import Training

/// `deit train`.
struct TrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train or distill a model on labeled images.",
        discussion: """
            Examples:
              deit train --recipe quickstart --data DIR --output runs/first
              deit train --data DIR --model resnet20_cifar --size 28 --output runs/teacher
              deit train --data DIR --model deit_micro_distilled_patch4_28 \\
                --teacher runs/teacher --distillation hard --output runs/student
              deit train --data DIR --model deit_tiny_distilled_patch16_224 \\
                --distillation hard --teacher IMAGENET-CHECKPOINT --teacher-finetune 5
              deit train --finetune CHECKPOINT --recipe deit-384 --data DIR
              deit train --resume --output runs/first

            DIR contains train/CLASS/ and val/CLASS/ with JPEG, PNG or WebP files, or IDX files \
            (train-images-idx3-ubyte, .gz too, …). Without a teacher the model learns from the \
            labels alone.

            Flags override the recipe, which overrides the defaults (those of DeiT's main.py). \
            A recipe is a YAML file whose keys are the names of the flags; "per recipe" below \
            marks the options that the recipes above set.

            The run's directory contains run.yaml (all options), metrics.jsonl, TensorBoard event \
            files (tensorboard --logdir RUN) and checkpoints/. Each checkpoint is a model \
            directory; `last` and `best` link to the most recent and the best one. Ctrl-C (SIGINT) \
            and SIGTERM finish the step, save a checkpoint and exit with 130 and 143; --resume \
            then continues with the same result as an uninterrupted run.
            """
    )

    /// The command as its flags know it.
    enum Flags: TrainingCommand {
        static let method = TrainingMethod.supervised
        static let recipe = "quickstart"
        static let flags = SettingFlag.all(of: method)
    }

    @OptionGroup(title: SettingSection.run.rawValue) var run: RunOptions<Flags>
    @OptionGroup var settings: SettingFlags<Flags>

    func run() async throws { try await TrainingCall(run, settings.given).run() }
}
