import ArgumentParser
import Foundation
import Torch
import Training

/// `deit train`.
struct TrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train or distil a model on a folder of pictures.",
        discussion: """
            Examples:
              deit train --recipe quickstart --data DIR --output runs/first
              deit train --data DIR --model resnet20_cifar --size 28 --output runs/teacher
              deit train --data DIR --model deit_micro_distilled_patch4_28 \\
                --teacher runs/teacher --distillation hard --output runs/student
              deit train --recipe finetune --finetune CHECKPOINT --data DIR
              deit train --resume --output runs/first

            DIR holds IDX files (train-images-idx3-ubyte, .gz too, …), or the folders \
            train/CLASS/ and val/CLASS/ of JPEG, PNG or WebP files. A model without a \
            teacher learns from the labels alone. Defaults are those of DeiT's main.py.

            Defaults (in parentheses below) come first, the recipe overrides them, flags \
            override the recipe. A recipe is a YAML file whose keys are the flags.

            The run's folder gets run.yaml, metrics.jsonl, the same for TensorBoard \
            (tensorboard --logdir RUN), and checkpoints/, each of which is a model directory; `last` and `best` there point at the newest and the best. Ctrl-C \
            (or SIGTERM) finishes the step, saves and exits with 130 (143); --resume goes on as \
            if the run had never stopped.
            """
    )

    @OptionGroup(title: "The run") var run: RunOptions
    @OptionGroup(title: "Pictures") var data: DataOptions
    @OptionGroup(title: "Augmentation") var augmentation: AugmentationOptions
    @OptionGroup(title: "Model and teacher") var model: ModelOptions
    @OptionGroup(title: "Length and learning rate") var schedule: ScheduleOptions
    @OptionGroup(title: "Optimiser") var optimizer: OptimizerOptions

    private var flags: [OptionText] {
        run.flags + data.flags + augmentation.flags + model.flags + schedule.flags
            + optimizer.flags
    }

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
        RunHeader.print(try session.estimate())
        defer { progress.closeLine() }
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
        let recipe = try Recipe.named(run.recipe ?? "quickstart")
        var options = TrainingOptions()
        try options.apply(recipe)
        try options.apply(flags)
        // Names on the hub become paths, so that a resumed run needs no hub.
        for path in [\TrainingOptions.finetune, \TrainingOptions.teacher]
        where !options[keyPath: path].isEmpty {
            options[keyPath: path] = try await CheckpointPath.find(options[keyPath: path])
        }
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
