import Checkpoints
import Datasets
import ImagePipeline
public import Torch
import TorchNN
import VisionModels

/// Finds out whether runs could start, before any of them does: nothing is created, nothing is trained.
///
/// Data that several runs share is opened once.
@ModelActor
public final class RunCheck {
    /// What is known of a run before it starts.
    public struct Facts: Sendable, Equatable {
        /// The number of the model's parameters.
        public let parameterCount: Int
        /// The steps of the whole run.
        public let steps: Int
        /// The validation images.
        public let validationCount: Int
        /// The multiplications of the whole run, validation and teacher included, to compare runs by.
        public let work: Double
        /// What was noticed of the data, one sentence each.
        public let notes: [String]
    }

    /// What decides which images are opened.
    private struct DataKey: Hashable {
        let texts: [String]

        init(_ options: TrainingOptions) {
            let declared = Settings.declared
            let settings: [any AnySetting] = [
                declared.data, declared.valFraction, declared.seed, declared.trainLimit,
                declared.valLimit, declared.repeatedAug,
            ]
            texts = settings.map { $0.text(in: options) }
        }
    }

    private var opened: (key: DataKey, data: RunData)?

    /// Nothing is open yet.
    public nonisolated init() {}

    /// Checks a run's options, data, model, augmentation and teacher.
    ///
    /// - Parameter options: The options in effect.
    /// - Returns: What follows from them.
    /// - Throws: What `TrainingSession` would throw: ``OptionError``, `DatasetError`, `CheckpointError`,
    ///   ``TrainingError``.
    public func check(_ options: TrainingOptions) throws -> Facts {
        try Preflight.check(options)
        let data = try data(options)
        let request = RunRequest(
            options: options,
            output: "",
            resuming: nil,
            recipe: "",
            toolVersion: ""
        )
        var notes = data.train.notes
        _ = try ClassWeights.of(options, train: data.train)
        _ = try ClassWeights.positive(options, train: data.train)
        let network = try Network(
            request,
            classNames: data.classNames,
            isMultiLabel: data.isMultiLabel
        )
        let description = network.description
        let transform = try Augmentation.transform(
            options,
            description.configuration,
            description.processor
        )
        _ = try data.trainingLoader(transform, attempt: 0)
        _ = try data.validationLoader(description.processor)
        if let note = try network.checkToken() { notes.append(note) }
        // What stays frozen, and whether the weights fit, only the network itself can tell.
        if !options.finetune.isEmpty { _ = try network.make(dtype: nil) { _ in } }
        var planned = options
        // Whether a file of answers fits depends on the number format, which is chosen when the run starts.
        planned.cacheTeacher = ""
        let plan = RunPlan(
            options: planned,
            trainCount: data.train.count,
            imagesPerEpoch: data.imagesPerEpoch,
            validationCount: data.validation.count,
            classNames: data.classNames,
            parameterCount: description.configuration.parameterCount,
            policy: .current,
            workers: data.workers,
            isMultiLabel: data.isMultiLabel
        )
        try plan.checkRates()
        if options.distillation != .none {
            _ = try RunTeacher(
                request,
                plan,
                student: description,
                data,
                notice: { notes.append($0) },
                train: TrainingSession.train
            )
        }
        return facts(plan, description.configuration, notes)
    }

    private func data(_ options: TrainingOptions) throws -> RunData {
        let key = DataKey(options)
        if let opened, opened.key == key { return try opened.data.read(with: options) }
        // The former is closed first: an archive that was inflated takes room.
        opened = nil
        let data = try RunData(options)
        opened = (key, data)
        return data
    }

    private func facts(
        _ plan: RunPlan,
        _ model: ModelConfiguration,
        _ notes: [String]
    ) -> Facts {
        let options = plan.options
        let teachers = options.distillation == .none ? [] : options.teachers
        let teacherWork = teachers.reduce(0.0) { sum, path in
            let teacher = try? TeacherLoader.description(of: path)
            return sum + Double(teacher?.configuration.macs ?? 0)
        }
        // A step goes forward once and backward for twice the work.
        let perImage = 3 * Double(model.macs) + teacherWork
        let models = options.ema == nil ? 1.0 : 2.0
        let measured = Double(plan.validationCount) * Double(options.epochs) * models
        return Facts(
            parameterCount: plan.parameterCount,
            steps: plan.totalSteps,
            validationCount: plan.validationCount,
            work: Double(plan.totalSteps) * Double(options.batch) * perImage
                + measured * Double(model.macs),
            notes: notes
        )
    }
}
