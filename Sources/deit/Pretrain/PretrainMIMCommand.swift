import ArgumentParser
import Training

/// `deit pretrain mim`.
struct PretrainMIMCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mim",
        abstract: "Masked image modelling: paint what is hidden (SimMIM).",
        discussion: """
            Examples:
              deit pretrain mim --data DIR --output runs/mim
              deit pretrain mim --data DIR --mask block --mask-ratio 0.4   # BEiT's masks
              deit pretrain mim --data DIR --model deit_tiny_distilled_patch16_224
              deit pretrain mim --resume --output runs/mim           # go on exactly
              deit finetune runs/mim --data DIR                      # then, with labels

            DIR is any folder of images; labels are not looked at. Part of every image is \
            hidden from the transformer, and a single layer paints it from what the \
            transformer makes of the rest. The loss is the mean distance of hidden pixels, in \
            standard deviations of the normalised image.

            After each epoch RUN/reconstructions/epoch-N.png shows the same few images: as \
            they are, with the hidden patches grey, and with what was painted there. Held-out \
            images are taken where there are some (val/, --val-fraction).

            The checkpoints are model directories of the transformer, for deit finetune, \
            features, evaluate --knn and so on; of a model with a distillation token they hold \
            mask token and decoder too, as transformers' DeiTForMaskedImageModeling wants them.
            """
    )

    @OptionGroup(title: "The run") var run: RunOptions
    @OptionGroup(title: "Masks") var masks: MIMMaskOptions
    @OptionGroup(title: "Images") var images: PretrainDataOptions<PretrainsMIM>
    @OptionGroup(title: "Augmentation") var augmentation: MIMAugmentationOptions
    @OptionGroup(title: "Network, length and optimiser")
    var schedule: PretrainScheduleOptions<PretrainsMIM>

    func run() async throws {
        let flags =
            run.flags + masks.flags + images.flags + augmentation.flags + schedule.flags
        try await TrainingCall(run: run, flags: flags, recipe: "mim", method: .mim).run()
    }
}
