import ArgumentParser
import Training

/// The flags that choose the model, what it starts from and how far it is from the labels.
struct ModelOptions: ParsableArguments {
    @Option(help: .field("model")) var model: String?
    @Option(help: .field("state_dict")) var stateDict: String?
    @Option(help: .field("single_head")) var singleHead: String?
    @Option(help: .field("freeze")) var freeze: String?
    @Option(help: .field("attn_only")) var attnOnly: String?
    @Option(help: .field("train_mode")) var trainMode: String?
    @Option(help: .field("drop")) var drop: String?
    @Option(help: .field("drop_path")) var dropPath: String?
    @Option(help: .field("init_values")) var initValues: String?
    @Option(help: .field("smoothing")) var smoothing: String?
    @Option(help: .field("bce_loss")) var bceLoss: String?

    var flags: [OptionText] {
        [
            OptionText("model", model), OptionText("state_dict", stateDict),
            OptionText("single_head", singleHead), OptionText("freeze", freeze),
            OptionText("attn_only", attnOnly),
            OptionText("train_mode", trainMode), OptionText("drop", drop),
            OptionText("drop_path", dropPath), OptionText("init_values", initValues),
            OptionText("smoothing", smoothing),
            OptionText("bce_loss", bceLoss),
        ]
    }
}
