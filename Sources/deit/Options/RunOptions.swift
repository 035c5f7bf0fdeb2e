import ArgumentParser
import Training

/// The flags of where a run goes and how it is kept.
struct RunOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A recipe (\(RecipeChoice.named(.supervised)); pretrain dino: \(RecipeChoice.named(.dino)); pretrain mim: \(RecipeChoice.named(.mim))) or a YAML file. (train: quickstart, finetune: finetune, pretrain dino: dino, pretrain mim: mim)",
            valueName: "name|file"
        )
    )
    var recipe: String?

    @Option(help: ArgumentHelp("The run's folder; default: runs/TIME-RECIPE.", valueName: "folder"))
    var output: String?

    @Flag(help: "Continue the run in --output, with the options it started with.")
    var resume = false

    @Flag(help: "Print which weights would be trained, which of them decay, and stop.")
    var listGroups = false

    @Flag(help: "Print every option in effect; without it those that differ from the recipe.")
    var verbose = false

    @Option(help: .field("dtype")) var dtype: String?
    @Option(help: .field("seed")) var seed: String?
    @Option(help: .field("threads")) var threads: String?
    @Option(help: .field("checkpoint_interval")) var checkpointInterval: String?
    @Option(help: .field("keep_last")) var keepLast: String?
    @Option(help: .field("log_interval")) var logInterval: String?
    @Option(help: .field("tensorboard")) var tensorboard: String?

    var flags: [OptionText] {
        [
            OptionText("dtype", dtype), OptionText("seed", seed), OptionText("threads", threads),
            OptionText("checkpoint_interval", checkpointInterval),
            OptionText("keep_last", keepLast),
            OptionText("log_interval", logInterval), OptionText("tensorboard", tensorboard),
        ]
    }
}
