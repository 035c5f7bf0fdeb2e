import Checkpoints
import Foundation
import Storage
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

@testable import Training

/// Steps of DINO, what guards a run, and full checkpoints of its own code.
@ModelActor @Suite struct DINOLearnerTests {
    @Test func `the last layer is frozen at first, the teacher follows, and lengths stay`() throws {
        let run = try TinyDINO()
        let start = try run.contents()
        try run.train(steps: 0..<4)
        let first = try run.contents()
        let (v, g) = ("student.head.last_layer.weight_v", "student.head.last_layer.weight_g")
        #expect(first[v] == start[v])
        #expect(first["student.head.mlp.0.weight"] != start["student.head.mlp.0.weight"])
        #expect(first["teacher.head.mlp.0.weight"] != start["teacher.head.mlp.0.weight"])
        #expect(first["center"] != start["center"])
        try run.train(steps: 4..<6)
        let then = try run.contents()
        #expect(then[v] != first[v])
        #expect(then[g] == start[g])
        #expect(then[g]?.allSatisfy { $0 == 1 } == true)
    }

    @Test func `drop path is the student's alone`() throws {
        let run = try TinyDINO { $0.dropPath = 0.9 }
        let views = [try Tensor.randn([4, 3, 8, 8])]
        func twice(_ network: MultiCropNetwork) throws -> Bool {
            try withoutGradient {
                try network(views).logits.floats() == network(views).logits.floats()
            }
        }
        #expect(run.networks.student.isTraining && run.networks.teacher.isTraining)
        #expect(try twice(run.networks.teacher))
        #expect(try !twice(run.networks.student))
    }

    @Test func `an estimate changes nothing of the run`() throws {
        let run = try TinyDINO {
            $0.useBNInHead = true
            $0.accumulation = 2
        }
        try run.train(steps: 0..<2)
        let before = try run.contents()
        let estimate = try RunEstimate(run.learner.estimated(), state: TrainerState())
        #expect(try run.contents() == before)
        #expect(estimate.seconds > 0 && estimate.secondsPerStep > 0 && estimate.images == 2)
        #expect(try run.learner.optimizer.gradients().isEmpty)
    }

    @Test func `features that get worse twice in a row end a run`() throws {
        let learner = try TinyDINO { $0.knnStop = 10 }.learner
        func judged(_ top1: Double) -> (notices: [String], stop: String?) {
            var scores = EpochScores()
            learner.judge(top1, &scores)
            return (scores.notices, scores.stopReason)
        }
        #expect(judged(0.5).notices.isEmpty)
        #expect(judged(0.42).notices.isEmpty)
        #expect(judged(0.6).stop == nil)
        let warned = judged(0.45)
        #expect(warned.stop == nil)
        #expect(
            warned.notices == [
                "warning: the kNN accuracy is 45.0 %, the best was 60.0 %: the features get worse"
            ]
        )
        // One that recovers goes on.
        #expect(judged(0.55).notices.isEmpty)
        #expect(judged(0.4).stop == nil)
        let stopped = try #require(judged(0.3).stop)
        #expect(stopped.contains("30.0 %") && stopped.contains("60.0 %"))
        #expect(stopped.contains("lower --lr") && stopped.contains("--resume"))
        // It is not asked for: nothing is said.
        let free = try TinyDINO { $0.knnStop = nil }.learner
        var scores = EpochScores()
        for top1 in [0.9, 0.1, 0.1, 0.1] { free.judge(top1, &scores) }
        #expect(scores.notices.isEmpty && scores.stopReason == nil)
    }

    // MARK: - Full checkpoints

    private func manifest(_ options: TrainingOptions) -> RunManifest {
        RunManifest(
            toolVersion: "0",
            libtorchVersion: "0",
            started: "",
            recipe: "dino",
            options: options,
            kernels: (.libtorch, .libtorch, .libtorch, .layers, .layers),
            dtype: .fp32,
            threads: 1,
            counts: (16, 0),
            classNames: ["unlabelled"],
            facts: []
        )
    }

    private func write(_ run: TinyDINO, steps: Int, to path: String) throws {
        var state = TrainerState()
        (state.step, state.epoch, state.stepInEpoch) = (steps, steps / 4, steps % 4)
        let form = DINOCheckpointForm(
            manifest(run.options),
            run.networks,
            run.learner.optimizer,
            state
        )
        #expect(form.notes.isEmpty == (steps % 4 == 0))
        try PyTorchWriter.write(form.value(), to: path)
    }

    private func make(
        _ model: String,
        seed: Int,
        layers: Int,
        batchNorm: Bool
    ) throws -> TinyDINO {
        try TinyDINO {
            $0.model = model
            $0.seed = seed
            $0.headLayers = layers
            $0.useBNInHead = batchNorm
        }
    }

    @Test(arguments: [
        ("deit_nano_patch4_28", 1, false), ("deit_nano_patch4_28", 3, false),
        ("deit_nano_patch4_28", 3, true), ("resnet8_cifar", 3, true),
    ])
    func `a full checkpoint starts another run`(
        model: String,
        layers: Int,
        batchNorm: Bool
    ) throws {
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "checkpoint.pth").path
            let run = try make(model, seed: 1, layers: layers, batchNorm: batchNorm)
            try run.train(steps: 0..<5)
            try write(run, steps: 5, to: path)
            let file = try PyTorchFile(path: path, stateDict: "teacher")
            #expect(file.metadata["epoch"] == "1")
            #expect(file.stateDictNames == ["student", "teacher", "dino_loss"])
            let names = Set(file.tensors.map(\.name))
            #expect(names.contains { $0.hasPrefix("module.") } == batchNorm)
            let places = layers == 1 ? "head.mlp.weight" : "head.mlp.0.weight"
            #expect(names.contains((batchNorm ? "module." : "") + places))

            let other = try make(model, seed: 2, layers: layers, batchNorm: batchNorm)
            let notes = try DINOStart.load(path, into: other.networks)
            #expect(notes == ["student, teacher and heads are loaded from \(path)"])
            let (wanted, found) = (run.networks.namedTensors(), other.networks.namedTensors())
            try #require(wanted.map(\.name) == found.map(\.name))
            for (one, two) in zip(wanted, found) {
                #expect(
                    try one.tensor.to(.float32).floats() == two.tensor.to(.float32).floats(),
                    "\(one.name)"
                )
            }
        }
    }

    @Test func `a full checkpoint of another head is refused`() throws {
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "checkpoint.pth").path
            let run = try TinyDINO()
            try write(run, steps: 0, to: path)
            let other = try TinyDINO { $0.outDim = 32 }
            let error = #expect(throws: CheckpointError.self) {
                _ = try DINOStart.load(path, into: other.networks)
            }
            #expect(error.map { "\($0)".contains("--out-dim") } == true)
        }
    }

    @Test(.needsPeers("torch", "timm", "safetensors")) func `PyTorch takes a full checkpoint`()
        throws
    {
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "checkpoint.pth").path
            let expected = folder.appending(path: "expected.safetensors").path
            let run = try TinyDINO { $0.dropPath = 0 }
            try run.train(steps: 0..<6)
            try write(run, steps: 6, to: path)
            let images = try Tensor.randn([4, 3, 8, 8])
            run.networks.student.eval()
            run.networks.teacher.eval()
            let (student, teacher) = try withoutGradient {
                (
                    try run.networks.student([images]).logits,
                    try run.networks.teacher([images]).logits
                )
            }
            let moments = run.learner.optimizer.namedState().filter {
                $0.name.hasPrefix("exp_avg.")
            }
            try Safetensors.write(
                [
                    ("images", images), ("student", student), ("teacher", teacher),
                    ("center", run.networks.center),
                ] + moments,
                to: expected
            )
            let (status, text) = try Peers.run("check_dino.py", [path, expected])
            // The last layer was frozen for four of six steps.
            #expect(status == 0 && text.contains("ok epoch 1, steps [2.0, 6.0]"), "\(text)")
        }
    }
}
