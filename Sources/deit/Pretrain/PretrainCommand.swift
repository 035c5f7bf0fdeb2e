import ArgumentParser

/// `deit pretrain`: learning from images without labels.
struct PretrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pretrain",
        abstract: "Train a backbone on images without labels.",
        subcommands: [PretrainDINOCommand.self, PretrainMIMCommand.self]
    )
}
