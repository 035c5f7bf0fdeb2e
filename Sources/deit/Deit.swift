import ArgumentParser

/// The command.
@main
struct Deit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deit",
        abstract: "Vision transformers."
    )
}
