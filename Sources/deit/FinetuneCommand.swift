import ArgumentParser
import Training

/// `deit finetune`: `deit train` from a checkpoint, with the recipe for it.
struct FinetuneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "finetune",
        abstract: "Fine-tune a checkpoint on your own images.",
        discussion: """
            Examples:
              deit finetune facebook/deit-tiny-patch16-224 --data DIR --output runs/flowers
              deit finetune CHECKPOINT --data DIR --recipe linear         # a linear probe
              deit finetune CHECKPOINT --data DIR --freeze 6 --layer-decay 0.75
              deit finetune CHECKPOINT --data DIR --freeze "patch_embed,blocks.*.mlp"
              deit finetune CHECKPOINT --data DIR --size 384            # higher resolution
              deit finetune CHECKPOINT --data DIR --teacher OTHER       # distillation
              deit finetune CHECKPOINT --data DIR --distillation-token on \\
                --teacher OTHER --teacher-finetune 5   # OTHER is fine-tuned first
              deit finetune --resume --output runs/flowers

            CHECKPOINT is a run, a model directory of Hugging Face or timm, a Hub model ID \
            (ORG/NAME), timm's name of weights (vit_small_patch14_dinov2.lvd142m) or a weights \
            file (.safetensors, .pth, .bin). DIR is a dataset as for `deit train`. If the classes differ from the checkpoint's, the head is initialized \
            anew; all other weights are loaded, and position embeddings are resampled if --size \
            changes the grid. Weights that are not loaded are reported.

            The command equals `deit train --finetune CHECKPOINT --recipe finetune` and takes the \
            same flags; a --teacher is learned from by hard distillation unless --distillation \
            or the recipe says otherwise.
            """
    )

    /// The command as its flags know it; `--finetune` is its argument.
    enum Flags: TrainingCommand {
        static let method = TrainingMethod.supervised
        static let recipe = "finetune"
        static let isTaughtHard = true
        static let flags = SettingFlag.all(of: method, but: [Settings.declared.finetune])
    }

    @Argument(help: "Checkpoint to start from; not with --resume.")
    var checkpoint: String?

    @OptionGroup(title: SettingSection.run.rawValue) var run: RunOptions<Flags>
    @OptionGroup var settings: SettingFlags<Flags>

    func validate() throws {
        guard checkpoint.map({ !$0.isEmpty }) ?? (run.resume || run.resumeAuto) else {
            throw ValidationError(
                "give a checkpoint: deit finetune CHECKPOINT --data DIR"
            )
        }
    }

    func run() async throws {
        let start = checkpoint.map {
            [Recipe.Value(key: Settings.declared.finetune.key, text: $0)]
        }
        try await TrainingCall(run, settings.given + (start ?? [])).run()
    }
}
