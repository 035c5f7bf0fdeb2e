import ArgumentParser
import Checkpoints
import Evaluation
import Foundation
import Storage
import Torch
import Training

/// `deit ablate`: the rows of a study, one run after another, and their table.
struct AblateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ablate",
        abstract: "Run a study: train all rows and write a table.",
        discussion: """
            Examples:
              deit ablate study.yaml --data DIR --list
              deit ablate study.yaml --data DIR --output studies/first

            study.yaml:
              base: {recipe: cifar, epochs: 10}
              rows:
                full: {}
                large batch: {batch: 512, lr: 2.0e-3}
              switch-off: [mixup, [mixup, cutmix], ema]
              axes:
                lr: [5.0e-4, 1.0e-3]
                weight_decay: [0.05, 0.3]
              seeds: [0, 1]
              heads: [cls, dist, both]

            rows are names with options that differ from base; switch-off adds a row for each \
            option (or group of options) that is switched off; axes adds a row for each \
            combination. Every row is trained once per seed, in its own process. All rows are \
            validated before the first one starts.

            The output directory contains table.md, table.csv, table.png and study.json, which \
            are updated after every run, and runs/ROW-seedN, run directories as of deit train. \
            The same command continues an interrupted study: finished runs are skipped, an \
            interrupted run resumes exactly.
            """
    )

    @Argument(help: "Study: a YAML file.", completion: .file(extensions: ["yaml", "yml"]))
    var study: String

    @Option(
        help: ArgumentHelp("Directory of the study; default: studies/NAME.", valueName: "folder")
    )
    var output: String?

    @Option(help: "Dataset, in place of the study's own.", completion: .file())
    var data: String?

    @Flag(help: "Check the rows, print them with their commands, and stop.")
    var list = false

    @Flag(help: "Print one JSON object instead of the table.")
    var json = false

    func run() async throws {
        OpenMPWaiting.spinBriefly()
        let study = try readStudy()
        for note in study.notes { StatusLine.note("note: \(note)") }
        let folder = output ?? "studies/\(study.name)"
        var plan = try await StudyPlan(study, folder: folder)
        try plan.lookAtRuns()
        try await plan.check()
        if list { return try Results.print(plan.listing) }

        let lock = try StudyFolder(folder)
        defer { withExtendedLifetime(lock) {} }
        try lock.write(try text(of: self.study), name: "study.yaml")
        let runner = StudyRunner(plan, command: command(folder))
        let outcome = try await runner.run()
        try Results.print(
            json ? outcome.report.json.text(isIndented: false) : outcome.report.markdown
        )
        if let signal = outcome.stoppedBy {
            Console.complain("stopped; continue with: \(command(folder))")
            throw ExitCode(128 + signal)
        }
        if outcome.failures > 0 {
            throw CommandFailure(
                "\(outcome.failures) of \(plan.runs.count) runs failed: \(folder)/table.md lists them, "
                    + "\(folder)/logs has their output; the same command retries them",
                exitCode: CommandFailure.other
            )
        }
    }

    private func readStudy() throws -> Study {
        let name = URL(fileURLWithPath: study).deletingPathExtension().lastPathComponent
        return try Study(
            name: name,
            yaml: try text(of: study),
            overrides: data.map { [Recipe.Value(key: "data", text: $0)] } ?? []
        )
    }

    private func text(of path: String) throws -> String {
        do {
            return try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw CommandFailure(
                "the study \(path) cannot be read: "
                    + (FileManager.default.fileExists(atPath: path)
                        ? "it is not UTF-8" : "the file does not exist"),
                exitCode: CommandFailure.wrongCall
            )
        }
    }

    private func command(_ folder: String) -> String {
        var words = ["deit", "ablate", ShellLine.argument(study)]
        if let data { words += ShellLine.option("--data", data) }
        return ShellLine.line(words + ShellLine.option("--output", folder))
    }
}
