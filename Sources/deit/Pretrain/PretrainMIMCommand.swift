import ArgumentParser
import Training

/// `deit pretrain mim`.
struct PretrainMIMCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mim",
        abstract: "Masked image modeling (SimMIM).",
        discussion: """
            Examples:
              deit pretrain mim --data DIR --output runs/mim
              deit pretrain mim --data DIR --mask block --mask-ratio 0.4   # masks of BEiT
              deit pretrain mim --data DIR --model deit_tiny_distilled_patch16_224
              deit pretrain mim --resume --output runs/mim           # continue
              deit finetune runs/mim --data DIR                      # then with labels

            DIR is any directory of images, or a dataset as for `deit train`; labels are not \
            used. Patches of each image are masked, and a linear decoder on top of the \
            transformer predicts their pixels. The loss is the mean absolute error of masked \
            pixels of the normalized image.

            After each epoch RUN/reconstructions/epoch-N.png shows the same images: original, \
            masked and reconstructed. They are validation images if there are any (val/, \
            --val-fraction).

            Checkpoints are model directories of the transformer, for deit finetune, features, \
            evaluate --knn and so on. Those of a model with a distillation token also contain \
            mask token and decoder, as transformers' DeiTForMaskedImageModeling expects. \
            "per recipe" below marks the options that the recipe sets.
            """
    )

    /// The command as its flags know it.
    enum Flags: TrainingCommand {
        static let method = TrainingMethod.mim
        static let recipe = "mim"
        static let flags = SettingFlag.all(of: method)
    }

    @OptionGroup(title: SettingSection.run.rawValue) var run: RunOptions<Flags>
    @OptionGroup var settings: SettingFlags<Flags>

    func run() async throws { try await TrainingCall(run, settings.given).run() }
}
