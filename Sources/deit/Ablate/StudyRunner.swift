import Evaluation
import Foundation
import Torch
import Training

/// Makes the runs of a study one after another and renews the table after each.
final class StudyRunner {
    /// How it ended.
    struct Outcome {
        let report: StudyReport
        /// The signal that stopped it.
        let stoppedBy: Int32?
        let failures: Int
    }

    private var plan: StudyPlan
    private let command: String
    private var failures: [Int: String] = [:]
    private var teachers: [StudyReport.Teacher] = []
    private let progress: StudyProgress

    init(_ plan: StudyPlan, command: String) {
        self.plan = plan
        self.command = command
        progress = StudyProgress(plan)
    }

    func run() async throws -> Outcome {
        // One for all runs: a signal may come between two of them.
        let child = RunningChild()
        let interruption = Interruption { child.stop() }
        teachers = try await measureTeachers()
        try report.write(to: plan.folder)
        for index in plan.runs.indices where !plan.statuses[index].isFinished {
            if let signal = interruption.signal { return try stopped(signal) }
            let process = TrainingProcess(
                try arguments(index),
                log: "\(plan.folder)/logs/\(plan.runs[index].folderName).log"
            )
            let end = try await process.run(child) { [plan, progress] in
                progress.show(index, plan)
            }
            try plan.update(index)
            progress.finish(index, plan, failed: !plan.statuses[index].isFinished)
            if let signal = interruption.signal { return try stopped(signal) }
            if !plan.statuses[index].isFinished {
                failures[index] = end.failure
                Console.complain("\(plan.runs[index].folderName) failed: \(end.failure)")
            }
            try report.write(to: plan.folder)
        }
        return Outcome(report: report, stoppedBy: nil, failures: failures.count)
    }

    private func stopped(_ signal: Int32) throws -> Outcome {
        try report.write(to: plan.folder)
        return Outcome(report: report, stoppedBy: signal, failures: failures.count)
    }

    private func arguments(_ index: Int) throws -> [String] {
        let path = plan.path(of: plan.runs[index])
        if case .begun = plan.statuses[index] { return ["train", "--resume", "--output", path] }
        return plan.runs[index].arguments(output: path)
    }

    /// Measures every teacher once; a study that is at its end keeps what it measured.
    private func measureTeachers() async throws -> [StudyReport.Teacher] {
        let taught = plan.study.rows.filter {
            $0.options.distillation != .none && $0.options.teacherFinetune == nil
        }
        guard !taught.isEmpty else { return [] }
        if plan.statuses.allSatisfy(\.isFinished), let stored = storedTeachers() {
            return stored.filter { teacher in taught.contains { $0.options.teacher == teacher.path }
            }
        }
        var found: [StudyReport.Teacher] = []
        for row in taught where !found.contains(where: { $0.path == row.options.teacher }) {
            let measured = try await TeacherScore.measure(plan.options(row.options))
            let (metric, score): (BestMetric, Double) =
                measured.meanAveragePrecision.map { (.map, $0) } ?? (.top1, measured.top1)
            found.append(
                StudyReport.Teacher(
                    path: row.options.teacher,
                    top1: score,
                    count: measured.count
                )
            )
            Console.line(
                "teacher \(row.options.teacher): \(metric.title) \(ProgressPrinter.percent(score)) "
                    + "on \(measured.count) images"
            )
        }
        return found
    }

    private func storedTeachers() -> [StudyReport.Teacher]? {
        struct Stored: Decodable {
            struct Teacher: Decodable {
                let path: String
                let top1: Double?
                let map: Double?
                let count: Int
            }
            let teachers: [Teacher]
        }
        let file = URL(fileURLWithPath: plan.folder + "/study.json")
        return (try? Data(contentsOf: file))
            .flatMap { try? JSONDecoder().decode(Stored.self, from: $0) }?
            .teachers.map { .init(path: $0.path, top1: $0.top1 ?? $0.map ?? 0, count: $0.count) }
    }

    /// What is known so far.
    private var report: StudyReport {
        let rows = zip(plan.study.rows, plan.facts).map { row, facts in
            StudyReport.Row(
                name: row.name,
                changes: row.changes.map { "\($0.key) \($0.text)" },
                parameterCount: facts.parameterCount,
                runs: plan.runs.indices.filter { plan.runs[$0].row == row }.map(run)
            )
        }
        return StudyReport(
            name: plan.study.name,
            command: command,
            heads: plan.study.heads,
            seeds: plan.study.seeds,
            rows: rows,
            teachers: teachers + trainedTeachers
        )
    }

    /// The teachers that runs have trained for themselves.
    private var trainedTeachers: [StudyReport.Teacher] {
        var found: [StudyReport.Teacher] = []
        for run in plan.runs where run.options.teacherFinetune != nil {
            guard let teacher = TeacherScore.trained(in: plan.path(of: run)) else { continue }
            found.append(
                StudyReport.Teacher(
                    path: teacher.path,
                    top1: teacher.top1,
                    count: plan.facts[plan.row(of: run)].validationCount
                )
            )
        }
        return found
    }

    private func run(_ index: Int) -> StudyReport.Run {
        let run = plan.runs[index]
        let path = plan.path(of: run)
        return StudyReport.Run(
            seed: run.seed,
            folder: path,
            command: run.command(output: path),
            result: plan.statuses[index].result,
            failure: failures[index]
        )
    }
}
