import Checkpoints
import Torch
import TorchNN
import VisionModels

/// What of a run goes into a full checkpoint of DINO's own code, and how.
///
/// ## Source
/// dino `main_dino.py`, `train_dino` and `get_args_parser`; torch `optim/optimizer.py`, `state_dict`.
@ModelActor
struct DINOCheckpointForm {
    private let manifest: RunManifest
    private let networks: DINONetworks
    private let optimizer: any Optimizer
    private let state: TrainerState
    private let schedules: DINOSchedules

    init(
        _ manifest: RunManifest,
        _ networks: DINONetworks,
        _ optimizer: any Optimizer,
        _ state: TrainerState
    ) {
        self.manifest = manifest
        self.networks = networks
        self.optimizer = optimizer
        self.state = state
        schedules = DINOSchedules(
            manifest.options,
            stepsPerEpoch: manifest.counts.train / max(manifest.options.batch, 1)
        )
    }

    private var options: TrainingOptions { manifest.options }

    /// What a person should know.
    var notes: [String] {
        var notes: [String] = []
        if state.stepInEpoch > 0 {
            notes.append(
                "the run is in epoch \(state.epoch + 1), after \(state.stepInEpoch) of its steps; DINO's code "
                    + "will start that epoch again"
            )
        }
        if options.optimizer == .lamb {
            notes.append("DINO's code has no LAMB: the optimizer state is not written")
        }
        return notes
    }

    /// The whole file.
    func value() throws -> PyTorchValue {
        // There, batch normalisation has the teacher wrapped too, so that processes share its statistics.
        let isTeacherWrapped = !networks.teacher.namedBuffers().isEmpty
        var entries: [(key: String, value: PyTorchValue)] = [
            ("student", DINOCheckpointFile.state(networks.student, isWrapped: true)),
            ("teacher", DINOCheckpointFile.state(networks.teacher, isWrapped: isTeacherWrapped)),
        ]
        if let memory = try memory() { entries.append(("optimizer", memory)) }
        return .dictionary(
            entries + [
                ("epoch", .integer(state.epoch)), ("args", arguments),
                ("dino_loss", .stateDict([("center", networks.center)])),
            ]
        )
    }

    /// The optimiser's state, its parameters numbered through the groups; nil where torch has no such optimiser.
    private func memory() throws -> PyTorchValue? {
        guard options.optimizer != .lamb else { return nil }
        let named = Dictionary(
            optimizer.namedState().map { ($0.name, $0.tensor) },
            uniquingKeysWith: { first, _ in first }
        )
        var states: [(key: Int, value: PyTorchValue)] = []
        var groups: [PyTorchValue] = []
        var number = 0
        for (index, group) in optimizer.groups.enumerated() {
            let numbers = number..<(number + group.parameters.count)
            for (number, parameter) in zip(numbers, group.parameters) {
                // What was frozen so far has no memory there.
                guard let step = try named["step.\(parameter.name)"]?.item(), step > 0 else {
                    continue
                }
                states.append((number, memory(of: parameter.name, step: Int(step), named)))
            }
            groups.append(self.group(index, numbers))
            number = numbers.upperBound
        }
        return .dictionary([("state", .numbered(states)), ("param_groups", .list(groups))])
    }

    private func memory(
        of parameter: String,
        step: Int,
        _ named: [String: Tensor]
    ) -> PyTorchValue {
        var entries: [(key: String, value: PyTorchValue)] = []
        if options.optimizer == .adamw { entries.append(("step", .integer(step))) }
        for key in ["exp_avg", "exp_avg_sq", "momentum_buffer"] {
            if let tensor = named["\(key).\(parameter)"] { entries.append((key, .tensor(tensor))) }
        }
        return .dictionary(entries)
    }

    private func group(_ index: Int, _ numbers: Range<Int>) -> PyTorchValue {
        let last = max(state.step - 1, 0)
        let decay = index == 0 ? schedules.weightDecay.value(at: last) : 0
        var entries: [(key: String, value: PyTorchValue)] = [
            ("lr", .number(schedules.learningRate.value(at: last))),
            ("weight_decay", .number(decay)),
        ]
        if options.optimizer == .sgd || options.optimizer == .momentum {
            entries += [
                ("momentum", .number(options.momentum)), ("dampening", .integer(0)),
                ("nesterov", .flag(options.usesNesterov)),
            ]
        } else {
            let betas = options.optBetas ?? [0.9, 0.999]
            entries += [
                ("betas", .tuple(betas.map(PyTorchValue.number))),
                ("eps", .number(options.optEps)), ("amsgrad", .flag(false)),
            ]
        }
        return .dictionary(entries + [("params", .list(numbers.map(PyTorchValue.integer)))])
    }

    /// The options by the names of DINO's flags.
    private var arguments: PyTorchValue {
        var patch = PyTorchValue.none
        if let transformer = networks.description.configuration.transformer {
            patch = .integer(transformer.patchSize)
        }
        func pair(_ values: [Double]?) -> PyTorchValue {
            .tuple((values ?? []).map(PyTorchValue.number))
        }
        let batch = options.batch
        return .dictionary([
            ("arch", .text(architecture)), ("patch_size", patch),
            ("out_dim", .integer(options.outDim)),
            ("norm_last_layer", .flag(options.normLastLayer)),
            ("momentum_teacher", .number(options.momentumTeacher)),
            ("use_bn_in_head", .flag(options.useBNInHead)),
            ("warmup_teacher_temp", .number(options.warmupTeacherTemp)),
            ("teacher_temp", .number(options.teacherTemp)),
            ("warmup_teacher_temp_epochs", .integer(options.warmupTeacherTempEpochs)),
            ("use_fp16", .flag(false)), ("weight_decay", .number(options.weightDecay)),
            ("weight_decay_end", .number(options.weightDecayEnd ?? options.weightDecay)),
            ("clip_grad", .number(options.clipGrad ?? 0)), ("batch_size_per_gpu", .integer(batch)),
            ("epochs", .integer(options.epochs)),
            ("freeze_last_layer", .integer(options.freezeLastLayer)),
            // There it is for a batch of 256 always.
            ("lr", .number(options.effectiveLR * 256 / Double(max(batch, 1)))),
            ("warmup_epochs", .number(options.warmupEpochs)), ("min_lr", .number(options.minLR)),
            ("optimizer", .text(options.optimizer.rawValue)),
            ("drop_path_rate", .number(options.dropPath)),
            ("global_crops_scale", pair(options.globalCropsScale)),
            ("local_crops_number", .integer(options.localCropsNumber)),
            ("local_crops_scale", pair(options.localCropsScale)),
            ("data_path", .text(options.data)), ("seed", .integer(options.seed)),
        ])
    }

    /// The network's name there; the name here where it is none of theirs.
    private var architecture: String {
        guard let transformer = networks.description.configuration.transformer,
            transformer.depth == 12
        else { return options.model }
        let names = [192: "vit_tiny", 384: "vit_small", 768: "vit_base"]
        return names[transformer.embedDim] ?? options.model
    }
}
