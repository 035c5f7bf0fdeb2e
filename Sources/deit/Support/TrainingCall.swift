import ArgumentParser
import Foundation
import Torch
import Training

/// What `deit train` and `deit finetune` do once their flags are read: a run, new or resumed.
struct TrainingCall {
    /// The run's own flags.
    let run: RunOptions
    /// All flags that are training options; of two with one key the later one counts.
    let flags: [OptionText]
    /// The recipe of a run whose flags name none.
    let recipe: String
    /// Whether a teacher that is given is learnt from where neither recipe nor flags say how: by its decisions, as in
    /// DeiT's fine-tuning.
    var isTaughtHard = false

    func run() async throws {
        if run.threads != "1" { OpenMPWaiting.spinBriefly() }
        let request = try await request()
        if run.listGroups { return try await GroupPrinter.print(request.options) }
        let stop = StopRequest()
        let signals = Signals(stop)
        defer { withExtendedLifetime(signals) {} }
        let outcome = try await Self.train(request, stop)
        switch outcome {
        case .finished(let best):
            Console.line(Self.farewell(best, request))
        case .stopped(let signal, let checkpoint):
            Console.line(Self.stopLine(signal, checkpoint, request.output))
            throw ExitCode(128 + signal)
        }
    }

    @ModelActor
    private static func train(
        _ request: TrainingSession.Request,
        _ stop: StopRequest
    ) async throws -> TrainingLoop.Outcome {
        let progress = ProgressPrinter()
        let session = try TrainingSession(request, observer: progress, stop: stop)
        RunHeader.print(session.plan, output: request.output, recipe: request.recipe)
        if request.resuming != nil { Console.line("resuming after step \(session.startStep)") }
        defer { progress.closeLine() }
        if let stopped = try await session.prepare() { return stopped }
        RunHeader.print(try session.estimate())
        return try await session.run()
    }

    private func request() async throws -> TrainingSession.Request {
        guard run.resume else { return try await newRequest() }
        guard let output = run.output else {
            throw OptionError.conflict("--resume needs the run's folder: add --output RUN")
        }
        if let recipe = run.recipe {
            throw OptionError.conflict(
                "a resumed run keeps its options: leave out --recipe \(recipe)"
            )
        }
        try RunDirectory.check(output, resume: true)
        let manifest = try RunManifest.read(output + "/run.yaml")
        if manifest.libtorchVersion != Libtorch.versionOfLibrary {
            Console.complain(
                "warning: the run was started with libtorch \(manifest.libtorchVersion), this is "
                    + "\(Libtorch.versionOfLibrary); results may differ in the last digits"
            )
        }
        let given = flags.compactMap { flag in flag.text.map { (key: flag.key, text: $0) } }
        return TrainingSession.Request(
            options: try manifest.resumedOptions(given),
            output: output,
            resuming: manifest,
            recipe: manifest.recipe,
            toolVersion: Deit.version
        )
    }

    private func newRequest() async throws -> TrainingSession.Request {
        let recipe = try Recipe.named(run.recipe ?? recipe)
        var options = TrainingOptions()
        try options.apply(recipe)
        try options.apply(flags)
        let isToldHow = flags.contains { $0.key == "distillation" && $0.text != nil }
        if isTaughtHard, !options.teacher.isEmpty, options.distillation == .none, !isToldHow {
            options.distillation = .hard
        }
        // Names on the hub become paths, so that a resumed run needs no hub.
        if !options.finetune.isEmpty {
            options.finetune = try await CheckpointPath.find(options.finetune)
        }
        var teachers: [String] = []
        for teacher in options.teachers { teachers.append(try await CheckpointPath.find(teacher)) }
        options.teachers = teachers
        return TrainingSession.Request(
            options: options,
            output: run.output ?? Self.defaultOutput(recipe),
            resuming: nil,
            recipe: recipe.name,
            toolVersion: Deit.version
        )
    }

    private static func defaultOutput(_ recipe: Recipe) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "yyyyMMdd-HHmmss"
        return "runs/\(formatter.string(from: Date()))-\(recipe.shortName)"
    }

    private static func farewell(_ best: BestScore?, _ request: TrainingSession.Request) -> String {
        guard let best else { return "done: \(request.output)" }
        return "done: best top-1 \(ProgressPrinter.percent(best.top1))"
            + (best.isAverage ? " (averaged weights)" : "")
            + " in \(request.output)/checkpoints/best; next: deit evaluate \(request.output) "
            + "--data \(request.options.data)"
    }

    private static func stopLine(_ signal: Int32, _ checkpoint: String?, _ output: String) -> String
    {
        let name = signal == SIGINT ? "SIGINT" : "SIGTERM"
        let saved = checkpoint.map { "saved \(output)/checkpoints/\($0)" } ?? "nothing to save yet"
        return "stopped by \(name): \(saved); continue with: deit train --resume --output \(output)"
    }
}
