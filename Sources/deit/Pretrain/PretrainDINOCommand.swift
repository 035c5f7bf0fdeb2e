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
              deit pretrain dino --recipe dino-cifar --data DIR      # images of 32 pixels, minutes
              deit pretrain dino --recipe dino-small-batch --data DIR --accumulation 4
              deit pretrain dino --data DIR --model resnet50 --optimizer sgd --lr 0.03
              deit pretrain dino --data DIR --init CHECKPOINT        # weights from elsewhere
              deit pretrain dino --resume --output runs/dino         # go on exactly

            DIR is any folder of images; what `deit train` reads is read too, and where there \
            are labels and a part to measure by (val/, --val-fraction), the features are measured \
            by nearest neighbours on the way. Labels are never learnt from.

            The checkpoints are model directories of the teacher's backbone, for deit features, \
            attention, finetune and so on. --init takes a backbone's weights, or student, \
            teacher, heads and centre of a full DINO checkpoint, and starts a new schedule; \
            --resume goes on with a run as if it had never stopped.

            While it runs, the line shows the loss as a share of ln K (1 is knowing nothing), the \
            teacher's entropy and its KL to uniform (0 is collapse), the spread of the features \
            (0 is collapse) and the length of the centre.
            """
    )

    @OptionGroup(title: "The run") var run: RunOptions
    @OptionGroup(title: "Images") var images: PretrainDataOptions<PretrainsDINO>
    @OptionGroup(title: "Crops") var crops: DINOCropOptions
    @OptionGroup(title: "Heads") var head: DINOHeadOptions
    @OptionGroup(title: "Teacher and loss") var loss: DINOLossOptions
    @OptionGroup(title: "Network, length and optimiser")
    var schedule: PretrainScheduleOptions<PretrainsDINO>
    @OptionGroup(title: "Measuring on the way") var measuring: DINOGuardOptions

    func run() async throws {
        let flags =
            run.flags + images.flags + crops.flags + head.flags + loss.flags + schedule.flags
            + measuring.flags
        try await TrainingCall(run: run, flags: flags, recipe: "dino", method: .dino).run()
    }
}
