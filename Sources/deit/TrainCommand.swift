import ArgumentParser
import Training

/// `deit train`.
struct TrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train or distil a model on a folder of images.",
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

            DIR holds IDX files (train-images-idx3-ubyte, .gz too, …), or the folders \
            train/CLASS/ and val/CLASS/ of JPEG, PNG or WebP files. A model without a \
            teacher learns from the labels alone. Defaults are those of DeiT's main.py.

            Defaults (in parentheses below) come first, the recipe overrides them, flags \
            override the recipe. A recipe is a YAML file whose keys are the flags.

            The run's folder gets run.yaml, metrics.jsonl, the same for TensorBoard \
            (tensorboard --logdir RUN), and checkpoints/, each of which is a model directory; \
            `last` and `best` there point at the newest and the best. Ctrl-C (or SIGTERM) \
            finishes the step, saves and exits with 130 (143); --resume goes on as if the run had \
            never stopped.
            """
    )

    @OptionGroup var options: SupervisedOptions
    @OptionGroup(title: "Model") var start: StartOptions

    func run() async throws {
        try await TrainingCall(
            run: options.run,
            flags: options.flags + start.flags,
            recipe: "quickstart"
        ).run()
    }
}

/// What a run starts from.
struct StartOptions: ParsableArguments {
    @Option(help: .field("finetune")) var finetune: String?

    var flags: [OptionText] { [OptionText("finetune", finetune)] }
}
