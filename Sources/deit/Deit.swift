import ArgumentParser

/// The command.
@main
struct Deit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deit",
        abstract: "Vision transformers.",
        subcommands: [BenchCommand.self]
    )
}
