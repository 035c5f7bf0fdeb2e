import ArgumentParser
import Training

/// The flags that choose the images.
struct DataOptions: ParsableArguments {
    @Option(help: .field("data")) var data: String?
    @Option(help: .field("size")) var size: String?
    @Option(help: .field("in_chans")) var inChans: String?
    @Option(help: .field("train_limit")) var trainLimit: String?
    @Option(help: .field("val_fraction")) var valFraction: String?
    @Option(help: .field("val_limit")) var valLimit: String?
    @Option(help: .field("skip_limit")) var skipLimit: String?
    @Option(help: .field("workers")) var workers: String?

    var flags: [OptionText] {
        [
            OptionText("data", data), OptionText("size", size), OptionText("in_chans", inChans),
            OptionText("train_limit", trainLimit), OptionText("val_fraction", valFraction),
            OptionText("val_limit", valLimit), OptionText("skip_limit", skipLimit),
            OptionText("workers", workers),
        ]
    }
}
