import Foundation
import Training

/// Shows which row of a study is trained and how long the rest will take.
final class StudyProgress {
    private var pace: StudyPace
    private let start = ContinuousClock.now
    private var lastShown: ContinuousClock.Instant?
    private var shownRun: Int?
    private let isTerminal = Console.isTerminal

    init(_ plan: StudyPlan) {
        pace = StudyPace(work: plan.runs.map { plan.facts[plan.row(of: $0)].work })
        for (index, status) in plan.statuses.enumerated() {
            let steps = plan.facts[plan.row(of: plan.runs[index])].steps
            pace.skip(
                index,
                share: status.isFinished ? 1 : Double(status.savedSteps) / Double(max(steps, 1))
            )
        }
    }

    /// Shows the state of a run, from time to time.
    func show(_ index: Int, _ plan: StudyPlan) {
        let now = ContinuousClock.now
        let isNew = shownRun != index
        let interval: Duration = isTerminal ? .milliseconds(900) : .seconds(60)
        if !isNew, let lastShown, now - lastShown < interval { return }
        shownRun = index
        lastShown = now
        let steps = plan.facts[plan.row(of: plan.runs[index])].steps
        let step = Self.step(of: plan.path(of: plan.runs[index])) ?? plan.statuses[index].savedSteps
        let text =
            "\(title(index, plan)): step \(step)/\(steps), \(eta(index, Double(step) / Double(max(steps, 1))))"
        if isTerminal { Console.update(text) } else { Console.line(text) }
    }

    /// Shows what a run ended with.
    func finish(_ index: Int, _ plan: StudyPlan, failed: Bool) {
        pace.finish(index)
        if isTerminal { Console.update("") }
        guard !failed, let result = plan.statuses[index].result else { return }
        var text =
            "\(title(index, plan)): \(result.metric.title) "
            + ProgressPrinter.percent(result.best.top1)
        if let cls = result.best.cls, let dist = result.best.dist {
            text +=
                " (class \(ProgressPrinter.percent(cls)), dist \(ProgressPrinter.percent(dist)))"
        }
        let time = ProgressPrinter.time(.seconds(Int(result.seconds.rounded())))
        Console.line(text + " in \(time), \(eta(index, 1))")
    }

    private func title(_ index: Int, _ plan: StudyPlan) -> String {
        let run = plan.runs[index]
        let row = "row \(plan.row(of: run) + 1)/\(plan.study.rows.count) \(run.row.name)"
        return plan.study.seeds.count > 1 ? "\(row), seed \(run.seed)" : row
    }

    private func eta(_ index: Int, _ share: Double) -> String {
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        guard let left = pace.secondsLeft(after: seconds, run: index, share: share) else {
            return "ETA unknown yet"
        }
        return "ETA \(ProgressPrinter.time(.seconds(Int(min(left, 1e9).rounded(.up)))))"
    }

    /// The step of the last record in a run's metrics; nil where there is none.
    private static func step(of run: String) -> Int? {
        guard let file = FileHandle(forReadingAtPath: run + "/metrics.jsonl") else { return nil }
        defer { try? file.close() }
        guard let end = try? file.seekToEnd(), end > 0 else { return nil }
        try? file.seek(toOffset: end > 4096 ? end - 4096 : 0)
        let tail = String(decoding: (try? file.readToEnd()) ?? Data(), as: UTF8.self)
        struct Record: Decodable { let step: Int }
        return tail.split(separator: "\n").reversed().lazy.compactMap {
            try? JSONDecoder().decode(Record.self, from: Data($0.utf8)).step
        }.first
    }
}
