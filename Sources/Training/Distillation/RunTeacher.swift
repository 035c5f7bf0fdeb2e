import Checkpoints
import Datasets
import Torch
import TorchNN
import VisionModels

/// The teacher of a run and what is kept of its answers.
///
/// A teacher that is trained first comes into being only when the run's folder exists, so it may be absent for a while.
final class RunTeacher {
    private let plan: RunPlan
    private let student: ModelDescription
    private let data: RunData
    private let notice: (String) -> Void
    /// The part of every step's images that this process sees.
    private let share: BatchShare?
    /// The training of the teacher that comes first, if any.
    private let training: TeacherTraining?
    private var teacher: Teacher?
    private var cache: TeacherCache?
    private var isChecked = false
    /// Whether the file has the answers to all images of the run.
    private(set) var hasAllAnswers = false

    /// Loads the teacher, or checks that it can be trained, and checks the file of its answers; creates nothing.
    ///
    /// - Parameters:
    ///   - request: The student's run.
    ///   - plan: Its plan.
    ///   - student: What the student is.
    ///   - data: The images of the run.
    ///   - notice: Called with each note for the user.
    ///   - train: Trains a teacher that is trained first.
    /// - Throws: ``TrainingError`` for a teacher that does not fit, and what loading throws.
    @ModelActor
    init(
        _ request: RunRequest,
        _ plan: RunPlan,
        student: ModelDescription,
        _ data: RunData,
        notice: @escaping (String) -> Void,
        train: @escaping TeacherTraining.Run
    ) throws {
        self.plan = plan
        self.student = student
        self.data = data
        self.notice = notice
        share = request.share
        training = try plan.options.teacherFinetune.map {
            try TeacherTraining(request, plan, epochs: $0, train: train)
        }
        guard training == nil else { return }
        let teacher = try load(plan.options.teachers)
        self.teacher = teacher
        if !plan.options.cacheTeacher.isEmpty {
            let key = try cacheKey(teacher)
            try TeacherCache.check(key.path(for: plan.options.cacheTeacher), key)
        }
    }

    /// Of images with several labels: the probability from which the teacher says yes, for each class; nil for one half.
    var thresholds: [Double]? { teacher?.thresholds }

    /// The teacher's answer to the student's pixels.
    func forward(_ pixels: Tensor) throws(TorchError) -> ClassifierLogits {
        guard let teacher else {
            throw TorchError(operation: "distillation", message: "the teacher is not ready")
        }
        return try teacher.forward(pixels)
    }

    /// Trains the teacher, where it has not been, and opens the file of its answers.
    ///
    /// - Returns: How its training was stopped; nil where it is ready.
    @ModelActor
    func prepare(
        observer: any TrainingObserver,
        stop: StopRequest
    ) async throws -> Trainer.Outcome? {
        if let training, teacher == nil {
            if let stopped = try await training.run(observer: observer, stop: stop) {
                return stopped
            }
            teacher = try load([training.output])
        }
        guard let teacher, cache == nil, !plan.options.cacheTeacher.isEmpty else { return nil }
        let key = try cacheKey(teacher)
        let limit = Int(min(plan.options.cacheLimit * 1e9, 9e18))
        let path = key.path(for: plan.options.cacheTeacher)
        let cache = try TeacherCache(path: path, key: key, limit: limit)
        self.cache = cache
        tellSize(of: cache, limit: limit)
        return nil
    }

    /// Adds the teacher's answers to a step's images, from the file or anew; without a file the task asks the teacher.
    ///
    /// - Parameters:
    ///   - input: The images.
    ///   - epoch: The epoch whose images they are.
    ///   - step: The step within the epoch.
    /// - Returns: The images with the answers.
    /// - Throws: ``TeacherCacheError/otherAnswers(path:step:)`` where the first answers of the file are not the teacher's.
    func answered(_ input: StepInput, epoch: Int, step: Int) throws -> StepInput {
        guard let cache else { return input }
        let shape = [input.count, plan.classNames.count]
        guard let stored = cache.answers(epoch: epoch, step: step) else {
            let answer = try ask(input)
            if let reason = cache.store(try answer.floats(), epoch: epoch, step: step) {
                notice(
                    "warning: the teacher's outputs are no longer cached in \(cache.path): \(reason); training continues, "
                        + "and the teacher is evaluated again"
                )
            }
            return input.answered(by: answer)
        }
        let answer = try Tensor(stored, shape: shape).to(input.pixels.device)
        if !isChecked {
            isChecked = true
            guard try agrees(answer, with: ask(input)) else {
                throw TeacherCacheError.otherAnswers(
                    path: cache.path,
                    step: epoch * plan.stepsPerEpoch + step + 1
                )
            }
        }
        return input.answered(by: answer)
    }

    /// Asks the teacher in the parts in which the student sees the images, as it would be asked without a file.
    private func ask(_ input: StepInput) throws -> Tensor {
        let answers = try input.divided(into: plan.options.accumulation).map { part in
            try DistillationTask.answer(of: forward, to: part.pixels)
        }
        return try Tensor.cat(answers, dim: 0)
    }

    /// Whether two answers differ by no more than rounding in other kernels or in bfloat16 explains.
    private func agrees(_ stored: Tensor, with answer: Tensor) throws -> Bool {
        let scale = max(try answer.abs().max().item(), 1e-6)
        let difference = try (stored - answer).abs().max().item()
        return difference <= (plan.policy.dtype == .float32 ? 1e-3 : 0.1) * scale
    }

    @ModelActor
    private func load(_ paths: [String]) throws -> Teacher {
        let teacher = try TeacherLoader.load(
            paths,
            for: student,
            dtype: plan.policy.autocastDType
        )
        for note in teacher.notes { notice("note: \(note)") }
        return teacher
    }

    private func cacheKey(_ teacher: Teacher) throws -> TeacherCacheKey {
        TeacherCacheKey(
            plan,
            student: student,
            teacher: try teacher.fingerprint(),
            data: TeacherCacheKey.fingerprint(of: data.train),
            share: share
        )
    }

    private func tellSize(of cache: TeacherCache, limit: Int) {
        let epochs = plan.distinctEpochs
        let stored = cache.storedEpochs(of: epochs)
        hasAllAnswers = stored == epochs
        let size = cache.size(epochs: epochs)
        let megabytes = (size + 999_999) / 1_000_000
        var sentence =
            "note: the teacher's outputs are cached in \(cache.path): \(stored) of \(epochs) epochs are there; all need "
            + "\(megabytes) MB"
        if size > limit {
            sentence +=
                ", more than --cache-limit \(plan.options.cacheLimit) GB, so the last are not cached; "
                + "--augmentation-epochs reuses augmented images and needs less"
        }
        notice(sentence)
    }
}
