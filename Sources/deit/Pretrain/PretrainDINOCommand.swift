import ArgumentParser
import Training

/// `deit pretrain dino`.
struct PretrainDINOCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dino",
        abstract: "Self-distillation with no labels (DINO).",
        discussion: """
            Examples:
              deit pretrain dino --data DIR --output runs/dino
              deit pretrain dino --recipe dino-cifar --data DIR     # 32 × 32 images
              deit pretrain dino --recipe dino-small-batch --data DIR --accumulation 4
              deit pretrain dino --data DIR --model resnet50 --optimizer sgd --lr 0.03
              deit pretrain dino --data DIR --init CHECKPOINT       # from a checkpoint
              deit pretrain dino --resume --output runs/dino         # continue

            DIR is any directory of images, or a dataset as for `deit train`. Labels are not used \
            for training; if the data has labels and a validation split (val/, --val-fraction), \
            the features are evaluated with kNN during training.

            Checkpoints are model directories of the teacher's backbone, for deit features, \
            attention, finetune and so on. --init loads a backbone, or student, teacher, heads \
            and center of a full DINO checkpoint, and starts a new schedule; --resume continues a \
            run with the same result as an uninterrupted one.

            The progress line shows the loss relative to ln K (1: chance level), the teacher's \
            entropy and its KL divergence from uniform (0: collapse), the spread of the features \
            (0: collapse) and the norm of the center. "per recipe" below marks the options that \
            the recipes set.
            """
    )

    /// The command as its flags know it.
    enum Flags: TrainingCommand {
        static let method = TrainingMethod.dino
        static let recipe = "dino"
        static let flags = SettingFlag.all(of: method)
    }

    @OptionGroup(title: SettingSection.run.rawValue) var run: RunOptions<Flags>
    @OptionGroup var settings: SettingFlags<Flags>

    func run() async throws { try await TrainingCall(run, settings.given).run() }
}
