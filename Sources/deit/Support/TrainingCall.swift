import ArgumentParser
import Foundation
import Storage
import Torch
import Training

/// What `deit train`, `deit finetune` and `deit pretrain` do once their flags are read: a run, new or resumed.
struct TrainingCall<Command: TrainingCommand> {
    /// The run's own flags.
    private let run: RunOptions<Command>
    /// The settings that were given, with their texts.
    private let given: [Recipe.Value]
    private var method: TrainingMethod { Command.method }

    /// Creates a call.
    ///
    /// - Parameters:
    ///   - run: The run's own flags.
    ///   - given: The settings that were given, with their texts; of two with one key the later one counts.
    init(_ run: RunOptions<Command>, _ given: [Recipe.Value]) {
        (self.run, self.given) = (run, given)
    }

    private func isGiven<Value>(_ setting: Setting<Value>) -> Bool {
        given.contains { $0.key == setting.key }
    }

    func run() async throws {
        let threads = given.last { $0.key == Settings.declared.threads.key }
        if threads?.text != "1" { OpenMPWaiting.spinBriefly() }
        if run.listGroups {
            return try await GroupPrinter.print(request(among: nil).options)
        }
        let group = try Processes.join(timeout: try distTimeout())
        do {
            try await train(among: group)
        } catch {
            throw Processes.leave(group, because: error)
        }
        group?.close()
    }

    private func train(among group: ProcessGroup?) async throws {
        let request = try await request(among: group)
        let stop = StopRequest()
        let signals = Signals(stop)
        Lifeline.watch(stop)
        defer { withExtendedLifetime(signals) {} }
        let (outcome, plan) = try await Self.train(request, stop, isVerbose: run.verbose)
        guard group?.isFirst ?? true else {
            if case .stopped(let signal, _) = outcome { throw ExitCode(128 + signal) }
            return
        }
        switch outcome {
        case .finished(let best):
            Console.line(Self.farewell(best, plan, output: request.output))
        case .ended(let reason, let best):
            Console.complain("ended early: \(reason)")
            Console.line(Self.farewell(best, plan, output: request.output))
        case .stopped(let signal, let checkpoint):
            Console.line(stopLine(signal, checkpoint, request.output))
            throw ExitCode(128 + signal)
        }
    }

    @ModelActor
    private static func train(
        _ request: RunRequest,
        _ stop: StopRequest,
        isVerbose: Bool
    ) async throws -> (outcome: Trainer.Outcome, plan: RunPlan) {
        guard request.group?.isFirst ?? true else {
            let session = try RunSessions.make(request, observer: SilentObserver(), stop: stop)
            if let stopped = try await session.prepare() { return (stopped, session.plan) }
            return (try await session.run(), session.plan)
        }
        let progress = ProgressPrinter(request.options.method)
        let session = try RunSessions.make(request, observer: progress, stop: stop)
        RunHeader.print(session.plan, request, isVerbose: isVerbose)
        if request.resuming != nil { Console.line("resuming after step \(session.startStep)") }
        defer { progress.closeLine() }
        if let stopped = try await session.prepare() { return (stopped, session.plan) }
        if let estimate = try session.estimate() { RunHeader.print(estimate) }
        return (try await session.run(), session.plan)
    }

    private func distTimeout() throws -> Double {
        guard let seconds = DurationText.read(run.distTimeout) else {
            throw OptionError.badValue(
                run.distTimeout,
                key: "dist_timeout",
                expected: "a time such as 10m or 90s",
                source: "the command line"
            )
        }
        return seconds
    }

    /// The request of this process; where to write and whether a run goes on is for process 0 to say.
    private func request(among group: ProcessGroup?) async throws -> RunRequest {
        var resumes = run.resume
        if run.resumeAuto {
            let isThere = run.output.map {
                FileManager.default.fileExists(atPath: $0 + "/run.yaml")
            }
            resumes = try group?.first(isThere ?? false) ?? isThere ?? false
        }
        var request = try await resumes ? resumedRequest() : newRequest()
        if let group { request.output = try group.broadcast(request.output) }
        request.group = group
        return request
    }

    private func resumedRequest() throws -> RunRequest {
        guard let output = run.output else {
            throw OptionError.conflict("--resume needs the run's folder: add --output RUN")
        }
        if let recipe = run.recipe, !run.resumeAuto {
            throw OptionError.conflict(
                "options of a resumed run cannot change: leave out --recipe \(recipe)"
            )
        }
        try checkIsRun(output)
        let manifest = try RunManifest.read(output + "/run.yaml")
        guard manifest.options.method == method else {
            let command = manifest.options.method.command
            throw OptionError.conflict(
                "\(output) was started by \(command): continue it with \(Self.resuming(command, output))"
            )
        }
        if manifest.libtorchVersion != Libtorch.versionOfLibrary {
            Console.complain(
                "warning: the run was started with libtorch \(manifest.libtorchVersion), this is "
                    + "\(Libtorch.versionOfLibrary); results may differ in the last digits"
            )
        }
        // A run that began by the same command has found what it starts from.
        let found = run.resumeAuto ? Self.starts : []
        var options = try manifest.resumedOptions(
            given.filter { !found.contains($0.key) }.map { ($0.key, $0.text) }
        )
        // A run is resumed from any folder: where the path as typed leads nowhere, the absolute one may.
        if !isGiven(Settings.declared.data), let path = manifest.dataPath,
            !FileManager.default.fileExists(atPath: options.data)
        {
            options.data = path
        }
        return RunRequest(
            options: options,
            output: output,
            resuming: manifest,
            recipe: manifest.recipe,
            toolVersion: Deit.version
        )
    }

    /// The options whose values are names before a run begins, and paths in `run.yaml`.
    private static var starts: [String] {
        let settings = Settings.declared
        return [settings.finetune.key, settings.initialWeights.key, settings.teacher.key]
    }

    /// Distinguishes a checkpoint from a run, for --resume with a checkpoint.
    private func checkIsRun(_ output: String) throws {
        let files = FileManager.default
        guard !files.fileExists(atPath: output + "/run.yaml") else { return }
        if files.fileExists(atPath: output + "/trainer.json") {
            throw OptionError.conflict(
                "\(output) is a single checkpoint: --resume needs the run's directory, which contains run.yaml"
            )
        }
        var isFolder: ObjCBool = false
        let exists = files.fileExists(atPath: output, isDirectory: &isFolder)
        let isModel = files.fileExists(atPath: output + "/config.json")
        if exists, isModel || !isFolder.boolValue {
            let flag = method == .supervised ? "--finetune" : "--init"
            throw OptionError.conflict(
                "\(output) contains weights only, not a run: --resume needs the optimizer state in the run's "
                    + "directory; start a new run from these weights with "
                    + ShellLine.line(ShellLine.option(flag, output))
            )
        }
        try RunDirectory.check(output, resume: true)
    }

    private func newRequest() async throws -> RunRequest {
        let recipe = try Recipe.named(run.recipe ?? Command.recipe)
        var options = TrainingOptions.defaults(of: method)
        try options.apply(recipe)
        try check(recipe, options)
        try options.apply(given, source: "the command line")
        if Command.isTaughtHard, !options.teacher.isEmpty, options.distillation == .none,
            !isGiven(Settings.declared.distillation)
        {
            options.distillation = .hard
        }
        // Names on the hub become paths, so that a resumed run needs no hub.
        for path in [\TrainingOptions.finetune, \TrainingOptions.initialWeights]
        where !options[keyPath: path].isEmpty {
            options[keyPath: path] = try await CheckpointPath.find(options[keyPath: path])
        }
        var teachers: [String] = []
        for teacher in options.teachers {
            teachers.append(try await CheckpointPath.find(teacher, mustExist: false))
        }
        options.teachers = teachers
        var request = RunRequest(
            options: options,
            output: run.output ?? Self.defaultOutput(recipe),
            resuming: nil,
            recipe: recipe.name,
            toolVersion: Deit.version
        )
        request.choosesBatch = recipe.choosesBatch && !isGiven(Settings.declared.batch)
        return request
    }

    /// Makes sure that a recipe is one of this command's.
    private func check(_ recipe: Recipe, _ options: TrainingOptions) throws(OptionError) {
        guard options.method == method else {
            throw .conflict(
                "the recipe \(recipe.name) is for \(options.method.command), not for \(method.command)"
            )
        }
        let known = Set(Settings.of(method).map(\.key))
        if let other = recipe.values.first(where: { !known.contains($0.key) }) {
            throw .conflict(
                "the recipe \(recipe.name) sets \(other.key), which is not an option of \(method.command)"
            )
        }
    }

    private static func defaultOutput(_ recipe: Recipe) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "yyyyMMdd-HHmmss"
        return "runs/\(formatter.string(from: Date()))-\(recipe.shortName)"
    }

    private static func farewell(
        _ best: BestScore?,
        _ plan: RunPlan,
        output: String
    ) -> String {
        let next = "next: " + NextCommand.line(after: plan, output: output)
        guard plan.options.method == .supervised else {
            let score = best.map { "best kNN \(ProgressPrinter.percent($0.top1)) in " } ?? ""
            return "done: \(score)\(output)/checkpoints/\(best == nil ? "last" : "best"); \(next)"
        }
        guard let best else { return "done: \(output)" }
        let chosen = best.metric.map { "\($0.title) \(ProgressPrinter.text(best.value, $0)), " }
        // Of several labels an image there is no class that could be the right one.
        let top1 = plan.isMultiLabel ? "" : "top-1 \(ProgressPrinter.percent(best.top1))"
        let scores = plan.isMultiLabel ? String((chosen ?? "").dropLast(2)) : (chosen ?? "") + top1
        return "done: best \(scores)"
            + (best.isAverage ? " (averaged weights)" : "")
            + " in \(output)/checkpoints/best; \(next)"
    }

    private func stopLine(_ signal: Int32, _ checkpoint: String?, _ output: String) -> String {
        let name = signal == SIGINT ? "SIGINT" : "SIGTERM"
        let saved = checkpoint.map { "saved \(output)/checkpoints/\($0)" } ?? "nothing to save yet"
        return
            "stopped by \(name): \(saved); continue with: \(Self.resuming(method.command, output))"
    }

    /// The command that goes on with a run.
    private static func resuming(_ command: String, _ output: String) -> String {
        "\(command) --resume " + ShellLine.line(ShellLine.option("--output", output))
    }
}
