import ArgumentParser
import Training

/// The flags of the optimiser and of the averaged weights.
struct OptimizerOptions: ParsableArguments {
    @Option(help: .field("optimizer")) var optimizer: String?
    @Option(help: .field("opt_eps")) var optEps: String?
    @Option(help: .field("opt_betas")) var optBetas: String?
    @Option(help: .field("weight_decay")) var weightDecay: String?
    @Option(help: .field("layer_decay")) var layerDecay: String?
    @Option(help: .field("momentum")) var momentum: String?
    @Option(help: .field("ema")) var ema: String?
    @Option(help: .field("ema_warmup")) var emaWarmup: String?
    @Option(help: .field("clip_grad")) var clipGrad: String?

    var flags: [OptionText] {
        [
            OptionText("optimizer", optimizer), OptionText("opt_eps", optEps),
            OptionText("opt_betas", optBetas), OptionText("weight_decay", weightDecay),
            OptionText("layer_decay", layerDecay),
            OptionText("momentum", momentum), OptionText("ema", ema),
            OptionText("ema_warmup", emaWarmup),
            OptionText("clip_grad", clipGrad),
        ]
    }
}
