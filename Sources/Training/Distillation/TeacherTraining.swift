import Datasets
import Foundation
import Torch
import TorchNN

/// The training of a teacher on a run's own data before the run, in the folder `teacher` of the run's.
///
/// It is a run like any other: it can be resumed, evaluated and used as a teacher again.
@ModelActor
struct TeacherTraining {
    /// The teacher's folder.
    nonisolated let output: String
    private let request: RunRequest
    private let policy: ComputePolicy
    private let train: Run

    /// Sets up a run and trains to its end, or until asked to stop: sessions stand above teachers.
    typealias Run =
        @ModelActor (RunRequest, any TrainingObserver, StopRequest) async throws -> Trainer.Outcome

    /// Checks that the teacher can be trained; creates nothing.
    ///
    /// - Parameters:
    ///   - run: The student's run.
    ///   - plan: Its plan.
    ///   - epochs: How long the teacher is trained.
    ///   - train: Trains it.
    /// - Throws: What a run with the teacher's options would throw before its first step.
    init(
        _ run: RunRequest,
        _ plan: RunPlan,
        epochs: Int,
        train: @escaping Run
    ) throws {
        self.train = train
        output = run.output + "/teacher"
        policy = plan.policy
        var options = try Self.options(run.options, epochs: epochs)
        options.batch = min(options.batch, plan.trainCount)
        options.accumulation = min(options.accumulation, options.batch)
        request = RunRequest(
            options: options,
            output: output,
            resuming: nil,
            recipe: run.options.teacherRecipe,
            toolVersion: run.toolVersion
        )
        // A resumed run needs the teacher that it started from no more.
        guard !FileManager.default.fileExists(atPath: output + "/checkpoints/last") else { return }
        try Preflight.check(options)
        let views = try EpochPlan(
            count: plan.trainCount,
            batchSize: 1,
            repeats: options.repeatedAug ?? 1
        ).viewsPerEpoch
        try RunData.check(
            options,
            imagesPerEpoch: views,
            classes: plan.classNames.count,
            path: options.data
        )
        let own = RunPlan(
            options: options,
            trainCount: plan.trainCount,
            imagesPerEpoch: views,
            validationCount: plan.validationCount,
            classNames: plan.classNames,
            parameterCount: 0,
            policy: plan.policy,
            workers: plan.workers,
            isMultiLabel: plan.isMultiLabel
        )
        guard own.learns else {
            throw OptionError.conflict(
                "the teacher's training has too few steps for its warmup, all with learning rate 0: choose a larger "
                    + "--teacher-finetune"
            )
        }
        _ = try TeacherLoader.description(of: options.finetune)
        _ = try FineTuning.description(
            options,
            classNames: plan.classNames,
            isMultiLabel: plan.isMultiLabel
        )
    }

    /// The teacher's options: its recipe's, with the student's data, seed and way to compute.
    private static func options(
        _ run: TrainingOptions,
        epochs: Int
    ) throws -> TrainingOptions {
        var options = TrainingOptions()
        try options.apply(Recipe.named(run.teacherRecipe))
        options.finetune = run.teacher
        options.model = TrainingOptions.modelOfCheckpoint
        options.teacher = ""
        options.distillation = .none
        options.teacherFinetune = nil
        options.cacheTeacher = ""
        options.epochs = epochs
        options.warmupEpochs = min(options.warmupEpochs, Double(epochs) / 5)
        options.data = run.data
        options.multiLabel = run.multiLabel
        options.labelSeparator = run.labelSeparator
        options.seed = run.seed
        options.trainLimit = run.trainLimit
        options.valLimit = run.valLimit
        options.valFraction = run.valFraction
        options.skipLimit = run.skipLimit
        options.workers = run.workers
        options.threads = run.threads
        options.dtype = run.dtype
        options.checkpointInterval = run.checkpointInterval
        options.keepLast = run.keepLast
        options.logInterval = run.logInterval
        options.tensorboard = run.tensorboard
        return options
    }

    /// Whether all its epochs are done.
    private var isFinished: Bool {
        let path = output + "/checkpoints/last/trainer.json"
        guard let data = FileManager.default.contents(atPath: path),
            let state = try? JSONDecoder().decode(TrainerState.self, from: data)
        else { return false }
        return state.isFinished(epochs: request.options.epochs)
    }

    /// Trains the teacher, or what is left of it.
    ///
    /// - Returns: How it was stopped; nil where the teacher is ready.
    func run(
        observer: any TrainingObserver,
        stop: StopRequest
    ) async throws -> Trainer.Outcome? {
        guard !isFinished else { return nil }
        var request = request
        let manifest = output + "/run.yaml"
        if FileManager.default.fileExists(atPath: manifest) {
            let stored = try RunManifest.read(manifest)
            request.resuming = stored
            request.options = try stored.resumedOptions([
                (key: "data", text: request.options.data),
                (key: "finetune", text: request.options.finetune),
            ])
            request.options.workers = self.request.options.workers
        }
        observer.didNotice(
            "note: the teacher is trained first, \(request.options.epochs) epochs by the recipe \(request.recipe), in "
                + output
        )
        let outcome = try await train(request, observer, stop)
        // The student goes on as it began.
        ComputePolicy.current = policy
        switch outcome {
        case .finished(let best), .ended(_, let best):
            let top1 = best.map {
                "its \(($0.metric ?? .top1).title) is \(Self.percent($0.value)) on the validation images"
            }
            observer.didNotice("note: the teacher is ready: \(top1 ?? "it was not measured")")
            return nil
        case .stopped(let signal, let checkpoint):
            if let checkpoint {
                observer.didNotice(
                    "note: the teacher is saved in \(output)/checkpoints/\(checkpoint)"
                )
            }
            return .stopped(signal: signal, checkpoint: nil)
        }
    }

    private static func percent(_ share: Double) -> String {
        "\((share * 1_000).rounded() / 10) %"
    }
}
