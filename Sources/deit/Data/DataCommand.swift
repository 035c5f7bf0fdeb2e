import ArgumentParser

/// `deit data`: what a folder of images holds, before anything is trained on it.
struct DataCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data",
        abstract: "Check and show training data.",
        subcommands: [DataCheckCommand.self, DataShowCommand.self]
    )
}
