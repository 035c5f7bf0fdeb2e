import ArgumentParser
import Foundation
import Storage
import Torch
import Training

/// The command.
@main
struct Deit: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "deit",
        abstract: "Train, distil, evaluate and use vision transformers.",
        discussion: """
            A first run, on train/CLASS/… and val/CLASS/… or on IDX files:
              deit train --data DIR --output runs/first
              deit evaluate runs/first --data DIR
              deit classify runs/first IMAGE.jpg

            A weights file or a Hub model ID can be used anywhere a checkpoint is expected:
              deit classify facebook/deit-tiny-patch16-224 IMAGE.jpg

            Exit codes: 0 success, 64 invalid arguments, 65 unusable data or checkpoint, \
            1 other failures, 130 or 143 stopped by SIGINT or SIGTERM after saving.
            """,
        version: "deit \(version) (libtorch \(Libtorch.versionOfLibrary))",
        subcommands: [
            TrainCommand.self, FinetuneCommand.self, PretrainCommand.self, AblateCommand.self,
            EvaluateCommand.self,
            ClassifyCommand.self,
            FeaturesCommand.self, IndexCommand.self,
            AttentionCommand.self, SegmentCommand.self, PropagateCommand.self,
            ConvertCommand.self, DoctorCommand.self, ModelsCommand.self, PullCommand.self,
            DataCommand.self, BenchCommand.self,
        ]
    )

    static func main() async {
        Signals.ignoreWriteSignals()
        Libtorch.keepFreedMemory()
        do {
            try checkSubcommand(CommandLine.arguments.dropFirst().first)
            var command = try parseAsRoot(
                ResumeWord.joined(Array(CommandLine.arguments.dropFirst()))
            )
            try Libtorch.checkVersion()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            leave(error)
        }
    }

    /// Names the nearest command where the first word is none; the parser would only call it unexpected.
    private static func checkSubcommand(_ word: String?) throws {
        let known = configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
        guard let word, !word.hasPrefix("-"), !known.contains(word) else { return }
        let advice =
            Suggestion.nearest(to: word, among: known).map { "did you mean \"\($0)\"?" }
            ?? "choose one of: \(known.joined(separator: ", "))"
        throw CommandFailure(
            "there is no command \"\(word)\"; \(advice)",
            exitCode: CommandFailure.wrongCall
        )
    }

    /// Tells an error in one sentence and ends the process with its code.
    private static func leave(_ error: any Error) -> Never {
        if let code = error as? ExitCode { exit(withError: code) }
        let parserCode = exitCode(for: error)
        let isParserError = parserCode == .success || parserCode == .validationFailure
        guard isParserError else {
            let failure = CommandFailure(error)
            Console.complain("error: \(failure.description)")
            // Threads may be stuck in a connection to a process that is gone.
            if error is ProcessGroupError { _exit(failure.exitCode) }
            Foundation.exit(failure.exitCode)
        }
        // Help and version are not failures; ArgumentParser prints them to standard output.
        if parserCode == .success { exit(withError: error) }
        Console.complain("error: \(message(for: error))\(otherName(in: message(for: error)))")
        Foundation.exit(CommandFailure.wrongCall)
    }

    /// Tells what a flag of timm's and DeiT's scripts is called here.
    private static func otherName(in message: String) -> String {
        let parts = message.split(separator: "'")
        guard
            ["train", "finetune", "pretrain"].contains(CommandLine.arguments.dropFirst().first),
            parts.count > 1,
            message.hasPrefix("Unknown option")
        else { return "" }
        if let setting = Settings.named(String(parts[1].trimmingPrefix("--"))) {
            let commands = TrainingMethod.allCases.filter(setting.methods.contains).map(\.command)
            return "; it is an option of \(commands.joined(separator: " and "))"
        }
        if let ours = TrainingOptions.ours(for: String(parts[1])) { return "; here it is \(ours)" }
        return TrainingOptions.absent(String(parts[1])).map {
            "; \($0) is not implemented, leave it out"
        } ?? ""
    }
}
