import ArgumentParser
import Training

/// `deit finetune`: `deit train` from a checkpoint, with the recipe for it.
struct FinetuneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "finetune",
        abstract: "Train a checkpoint on images of your own.",
        discussion: """
            Examples:
              deit finetune facebook/deit-tiny-patch16-224 --data DIR --output runs/flowers
              deit finetune CHECKPOINT --data DIR --recipe linear         # a linear probe
              deit finetune CHECKPOINT --data DIR --freeze 6 --layer-decay 0.75
              deit finetune CHECKPOINT --data DIR --freeze "patch_embed,blocks.*.mlp"
              deit finetune CHECKPOINT --data DIR --size 384            # a resolution
              deit finetune CHECKPOINT --data DIR --teacher OTHER       # distillation
              deit finetune CHECKPOINT --data DIR --distillation-token on \\
                --teacher OTHER --teacher-finetune 5   # both heads; OTHER learns first
              deit finetune --resume --output runs/flowers

            CHECKPOINT is a run, a model directory of Hugging Face's or timm's form, ORG/NAME on \
            the hub, or bare weights (.safetensors, .pth, .bin). DIR holds train/CLASS/ and \
            val/CLASS/, or what else `deit train --help` names. A head for other classes than the \
            checkpoint's begins with fresh weights; all others are taken over, and positions are \
            resampled where --size asks for another grid. What is not taken over is told.

            It is `deit train --finetune CHECKPOINT` with the recipe finetune: every flag of \
            `deit train` is one here. --list-groups prints what would be trained, and how fast.
            """
    )

    @Argument(help: "The checkpoint to start from; left out with --resume.")
    var checkpoint: String?

    @OptionGroup var options: SupervisedOptions

    func validate() throws {
        guard checkpoint.map({ !$0.isEmpty }) ?? options.run.resume else {
            throw ValidationError(
                "which checkpoint is to be fine-tuned? deit finetune CHECKPOINT --data DIR"
            )
        }
    }

    func run() async throws {
        try await TrainingCall(
            run: options.run,
            flags: [OptionText("finetune", checkpoint)] + options.flags,
            recipe: "finetune",
            isTaughtHard: true
        ).run()
    }
}
