import Checkpoints
import Foundation
import ImagePipeline
import TestSupport
import Testing
import Torch
import TorchNN
import Training
import VisionModels

/// Whole runs, from the options' texts to the checkpoint, against runs of timm's parts in float64.
///
/// All images are in each step, so that nothing depends on their order.
@Suite("Training runs against timm", .tags(.parity), .serialized)
@ModelActor
struct TrainingRunParityTests {
    // What is left is the rounding of six steps in float32; 1e-6 was seen.
    static let tolerance: Float = 1e-5

    private struct Silent: TrainingObserver {}

    static let shared = [
        "model": "checkpoint", "epochs": "6", "batch": "24", "lr_scaling": "off", "drop_path": "0",
        "crop_scale": "off", "flip": "0", "aa": "off", "color_jitter": "0", "reprob": "0",
        "mixup": "0", "cutmix": "0", "repeated_aug": "off", "dtype": "fp32", "workers": "1",
        "tensorboard": "off",
    ]

    static let runs = [
        "adamw": [
            "optimizer": "adamw", "lr": "5e-3", "weight_decay": "0.1", "opt_eps": "1e-3",
            "opt_betas": "0.8,0.95", "layer_decay": "0.7", "clip_grad": "0.5", "smoothing": "0.1",
            "accumulation": "3", "schedule": "cosine", "warmup_epochs": "2", "warmup_lr": "1e-4",
            "min_lr": "2e-4", "ema": "0.9", "ema_warmup": "timm",
        ],
        "sgd": [
            "optimizer": "sgd", "lr": "0.05", "weight_decay": "0.01", "momentum": "0.8",
            "smoothing": "0", "schedule": "step", "decay_epochs": "2", "decay_rate": "0.3",
            "warmup_epochs": "0", "ema": "0.8",
        ],
        "momentum": [
            "optimizer": "momentum", "lr": "0.05", "weight_decay": "0.05", "momentum": "0.9",
            "layer_decay": "0.8", "clip_grad": "0.2", "smoothing": "0.2", "accumulation": "2",
            "schedule": "cosine", "warmup_epochs": "1", "warmup_lr": "1e-3", "min_lr": "1e-3",
            "lr_lag": "on", "ema": "0.7",
        ],
        "lamb": [
            "optimizer": "lamb", "lr": "0.02", "weight_decay": "0.05", "opt_eps": "1e-3",
            "bce_loss": "on", "smoothing": "0", "accumulation": "2", "schedule": "cosine",
            "warmup_epochs": "0", "min_lr": "1e-3", "ema": "0.5",
        ],
    ]

    @Test("Weights, average, losses and rates", arguments: ["adamw", "sgd", "momentum", "lamb"])
    func run(name: String) async throws {
        // A session computes in its own way, and leaves that in force.
        let policy = ComputePolicy.current
        defer { ComputePolicy.current = policy }
        let expected = try fixture("training_run", "\(name).safetensors")
        try await withTemporaryFolder { folder in
            try writeImages(to: folder.appending(path: "data"))
            try writeStart(to: folder.appending(path: "start"))
            var options = TrainingOptions()
            let own = try #require(Self.runs[name])
            let places = ["data": folder.path + "/data", "finetune": folder.path + "/start"]
            for (key, text) in Self.shared.merging(own, uniquingKeysWith: { $1 })
                .merging(places, uniquingKeysWith: { $1 })
            {
                try options.set(key, to: text, source: "the test")
            }
            let output = folder.appending(path: "run")
            let session = try RunSessions.make(
                RunRequest(
                    options: options,
                    output: output.path,
                    resuming: nil,
                    recipe: "test",
                    toolVersion: "test"
                ),
                observer: Silent(),
                stop: StopRequest()
            )
            _ = try await session.run()
            let last = output.appending(path: "checkpoints/last")
            let model = try ModelDirectory.load(last.path, options: LoadOptions()).model
            let average = try Safetensors.read(last.appending(path: "trainer.safetensors").path)
            try compare(
                model.namedTensors().map { ("model.\($0.name)", $0.tensor) },
                "model.",
                expected
            )
            try compare(average.map { ($0.key, $0.value) }, "ema.", expected)
            let records = try epochs(output.appending(path: "metrics.jsonl"))
            for (key, theirs) in [
                ("train_loss", "loss"), ("val_loss", "val_loss"), ("ema_val_loss", "ema_val_loss"),
                ("lr", "lr"),
            ] {
                let found = try records.map { Float(try #require($0[key] as? Double)) }
                let values = try expected.floats(theirs)
                expectClose(found, values, tolerance: Self.tolerance, "\(name): \(key)")
            }
        }
    }

    private func compare(
        _ named: [(name: String, tensor: Tensor)],
        _ prefix: String,
        _ expected: Fixture
    ) throws {
        let found = Dictionary(
            named.map { ($0.name, $0.tensor) }.filter { $0.0.hasPrefix(prefix) },
            uniquingKeysWith: { first, _ in first }
        )
        let names = expected.entries.keys.filter { $0.hasPrefix(prefix) }
        try #require(found.count == names.count && names.count > 20)
        for name in names {
            let tensor = try #require(found[name], "\(name)")
            let values = try expected.floats(name)
            expectClose(
                try tensor.floats(),
                values,
                tolerance: Self.tolerance,
                // A weight near 0 is as exact as the others of its layer.
                scale: max(values.map(abs).max() ?? 0, 0.1),
                name
            )
        }
    }

    private func epochs(_ file: URL) throws -> [[String: Any]] {
        try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return object?["event"] as? String == "epoch" ? object : nil
        }
    }

    // MARK: - As Tools/parity/make_training_run.py has them

    private func writeImages(to folder: URL) throws {
        for index in 0..<36 {
            let label = index % 3
            let part = index < 24 ? "train" : "val"
            let place = folder.appending(path: "\(part)/class-\(label)")
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            var pixels: [UInt8] = []
            for y in 0..<8 {
                for x in 0..<8 {
                    for c in 0..<3 {
                        let pattern = 7 * c + 11 * y + 13 * x + 5
                        let value = index * 37 + (label * 3 + 2) * pattern * 5
                        pixels.append(UInt8(value % 256))
                    }
                }
            }
            let image = try Image(height: 8, width: 8, channels: 3, pixels: pixels)
            try Data(image.encodedPNG()).write(to: place.appending(path: "\(index).png"))
        }
    }

    private func writeStart(to folder: URL) throws {
        let configuration = ModelConfiguration.visionTransformer(
            ViTConfiguration(
                imageHeight: 8,
                imageWidth: 8,
                patchSize: 4,
                numClasses: 3,
                embedDim: 8,
                depth: 2,
                numHeads: 2,
                layerNormEps: 1e-6
            )
        )
        let model = try configuration.makeModel()
        let named = model.namedParameters().sorted { $0.name < $1.name }
        for (place, (name, parameter)) in named.enumerated() {
            let tensor = parameter.tensor
            let isScale = tensor.rank == 1 && name.hasSuffix("weight")
            let values = (0..<tensor.elementCount).map { index in
                let number = (index * 7919 + place * 104_729) * 40503 / 64 % 2048 - 1024
                return Float(number) / 4096 + (isScale ? 1 : 0)
            }
            try withoutGradient {
                try tensor.copy(from: Tensor(values, shape: tensor.shape))
            }
        }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try ModelDirectory.write(
            model,
            ModelDescription(
                configuration: configuration,
                processor: .whole(
                    height: 8,
                    width: 8,
                    channels: 3,
                    mean: [0.485, 0.456, 0.406],
                    std: [0.229, 0.224, 0.225]
                ),
                labels: ClassLabels(names: ["class-0", "class-1", "class-2"])
            ),
            into: folder.path
        )
    }
}
