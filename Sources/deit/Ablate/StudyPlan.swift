import Foundation
import Training

/// A study on its way: the states of its runs.
struct StudyPlan {
    let study: Study
    let folder: String
    /// The runs, the seeds of a row after one another.
    let runs: [StudyRun]
    /// The state of each run.
    private(set) var statuses: [RunStatus] = []
    /// What is known of each row.
    private(set) var facts: [RunCheck.Facts] = []
    /// Checkpoints by their names in the study; those on the hub are in the cache.
    private var paths: [String: String] = [:]

    init(_ study: Study, folder: String) async throws {
        self.study = study
        self.folder = folder
        runs = study.runs
        for row in study.rows {
            for name in [row.options.finetune] + row.options.teachers
            where !name.isEmpty && paths[name] == nil {
                paths[name] = try await CheckpointPath.find(name)
            }
        }
    }

    /// The options of a run, as it keeps them itself: with paths for names on the hub.
    func options(_ options: TrainingOptions) -> TrainingOptions {
        var options = options
        options.finetune = paths[options.finetune] ?? options.finetune
        options.teachers = options.teachers.map { paths[$0] ?? $0 }
        return options
    }

    func path(of run: StudyRun) -> String { "\(folder)/runs/\(run.folderName)" }

    func row(of run: StudyRun) -> Int {
        study.rows.firstIndex { $0.name == run.row.name } ?? 0
    }

    /// Determines the states of the runs.
    ///
    /// - Throws: What is in the way: folders that hold something else, runs that have other options than the study.
    mutating func lookAtRuns() throws {
        statuses = try runs.map { try RunStatus(of: path(of: $0), options: options($0.options)) }
        var changed: [String] = []
        for (run, status) in zip(runs, statuses) {
            if case .changed(let differences) = status {
                changed.append("\(path(of: run)): \(differences.joined(separator: ", "))")
            }
            if case .begun = status, RunDirectory.isLocked(path(of: run)) {
                throw RunError.locked(path: path(of: run))
            }
        }
        guard changed.isEmpty else {
            throw CommandFailure(
                "the study has changed since these runs were made; remove them, or choose another --output: "
                    + changed.joined(separator: "; "),
                exitCode: CommandFailure.wrongCall
            )
        }
    }

    /// Checks every row.
    ///
    /// - Throws: What is wrong with the rows, all of it in one sentence.
    mutating func check() async throws {
        let check = RunCheck()
        let status = StatusLine()
        var problems: [(rows: [String], failure: CommandFailure)] = []
        for (index, row) in study.rows.enumerated() {
            do {
                facts.append(try await check.check(options(row.options)))
            } catch {
                let failure = CommandFailure(error)
                let same = problems.firstIndex { $0.failure.description == failure.description }
                if let same {
                    problems[same].rows.append("\"\(row.name)\"")
                } else {
                    problems.append((["\"\(row.name)\""], failure))
                }
            }
            status.show(index + 1, of: study.rows.count, "rows checked")
        }
        status.clear()
        guard let first = problems.first else {
            for note in facts.first?.notes ?? [] { StatusLine.note(note) }
            return
        }
        // What is wrong with the base is wrong with every row, and told once.
        let sentences = problems.map { rows, failure in
            "the row\(rows.count == 1 ? "" : "s") \(rows.joined(separator: ", ")): \(failure.description)"
        }
        throw CommandFailure(
            sentences.joined(separator: "; "),
            exitCode: first.failure.exitCode
        )
    }

    /// Updates the state of a run.
    mutating func update(_ index: Int) throws {
        statuses[index] = try RunStatus(
            of: path(of: runs[index]),
            options: options(runs[index].options)
        )
    }

    /// The rows with their changes and commands.
    var listing: String {
        var lines = [
            "\(study.rows.count) rows, seeds \(study.seeds.map(String.init).joined(separator: ", ")): \(statuses.filter(\.isFinished).count) of "
                + "\(runs.count) runs finished"
        ]
        for (row, facts) in zip(study.rows, facts) {
            lines.append("")
            lines.append("\(row.name): \(facts.parameterCount) parameters, \(facts.steps) steps")
            for run in runs where run.row == row {
                lines.append("  " + run.command(output: path(of: run)))
            }
        }
        return lines.joined(separator: "\n")
    }
}

extension RunStatus {
    var isFinished: Bool { result != nil }

    /// What a finished run measured.
    var result: RunResult? {
        if case .finished(let result) = self { result } else { nil }
    }

    /// The steps that are saved of a run that is not at its end.
    var savedSteps: Int {
        if case .begun(let step) = self { step } else { 0 }
    }
}
