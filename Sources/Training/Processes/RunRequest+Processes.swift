import Datasets
import Torch
import TorchNN

/// What several processes of one run check and share before the first step.
extension RunRequest {
    /// The part of every batch that this process computes; nil for all of it.
    var share: BatchShare? { group.map { BatchShare(rank: $0.rank, size: $0.size) } }

    /// Whether this process writes the run's folder.
    var writes: Bool { group?.isFirst ?? true }

    /// Makes sure that the run's folder can be used, before anything is created.
    func checkOutput() throws(RunError) {
        guard writes else { return }
        try RunDirectory.check(output, resume: resuming != nil)
    }

    /// Opens the run's folder; nil in a process that does not write.
    func openRun() throws(RunError) -> RunDirectory? {
        writes ? try RunDirectory(path: output, resume: resuming != nil) : nil
    }

    /// Options that several processes do not allow.
    func checkProcesses() throws(OptionError) {
        guard let group else { return }
        let processes = group.size
        guard options.batch >= 2 * processes else {
            throw .conflict(
                "a batch of \(options.batch) is too small for \(processes) processes, which compute pairs of images: "
                    + "choose a --batch of at least \(2 * processes)"
            )
        }
        if options.teacherFinetune != nil {
            throw .conflict(
                "teacher_finetune trains in a single process: train the teacher first with deit finetune, then give it as "
                    + "--teacher"
            )
        }
    }

    /// Refuses networks that normalise by the batch: a process sees a part of it.
    func checkProcesses(_ module: Module) throws(OptionError) {
        guard group != nil else { return }
        let layer = module.namedModules().first { _, module in
            (module as? BatchNorm2d)?.weight.requiresGradient == true
        }
        guard let layer else { return }
        throw .conflict(
            "\(layer.name) is a batch normalization, whose statistics are not shared between processes: train "
                + "\(options.model) in a single process, or a vision transformer"
        )
    }

    /// Refuses images with several labels: their average precision is found over all images at once.
    func checkProcesses(isMultiLabel: Bool) throws(OptionError) {
        guard group != nil, isMultiLabel else { return }
        throw .conflict("images with several labels are measured in a single process: train in one")
    }

    /// Makes sure that all processes do the same.
    ///
    /// - Parameters:
    ///   - plan: What follows from the options and the data of this process.
    ///   - module: The network that learns.
    /// - Throws: `ProcessGroupError` that names the process and what differs.
    @ModelActor
    func agree(_ plan: RunPlan, _ module: Module) throws {
        guard let group else { return }
        var facts = [
            ("the version of deit", toolVersion),
            ("the version of libtorch", Libtorch.versionOfLibrary),
            ("the kernels and threads", plan.policy.description),
            ("the number of training images", "\(plan.trainCount)"),
            ("the number of validation images", "\(plan.validationCount)"),
            ("the classes", plan.classNames.joined(separator: ", ")),
            ("the fingerprint of the training images", plan.fingerprint ?? ""),
        ]
        // Where things lie and how fast they are read may differ.
        for setting in Settings.of(plan.options.method)
        where !setting.namesPlace && setting.effect != .nothing {
            facts.append(("option \(setting.key)", setting.text(in: plan.options)))
        }
        let shapes = module.namedTensors().map { "\($0.name) \($0.tensor.shape)" }
        facts.append(("the names and shapes of the parameters", shapes.joined(separator: ", ")))
        try group.agree(on: facts.map { (name: $0.0, value: $0.1) })
    }
}
