import ArgumentParser

/// `deit pretrain`: learning from pictures without labels.
struct PretrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pretrain",
        abstract: "Train a backbone on pictures without labels.",
        subcommands: [PretrainDINOCommand.self, PretrainMIMCommand.self]
    )
}
