import Checkpoints
import Foundation
import ImagePipeline
import Torch
import TorchNN

@testable import Training

/// Runs of a few steps through the whole way from options to files: options, session, loop, checkpoints.
@ModelActor
struct TinySession {
    /// Where the data and the runs lie.
    let folder: URL

    /// What a run left behind.
    struct Outcome {
        let run: URL
        /// The last checkpoint's model, byte by byte.
        let weights: Data
        /// All tensors that a resumed run needs beside the model.
        let state: [String: [Float]]
        /// The records without what depends on the clock.
        let records: [String]
        /// The paths of all files in the run's folder.
        let files: Set<String>
        let manifest: RunManifest
        let plan: RunPlan

        /// The average of the weights.
        var average: [String: [Float]] { state.filter { $0.key.hasPrefix("ema.") } }
    }

    private struct Silent: TrainingObserver {}

    /// Runs by options, on top of those of a method's tiny base.
    ///
    /// - Parameters:
    ///   - method: What the run learns from.
    ///   - texts: Options by their keys; `{data}` and the like are paths in the folder.
    ///   - name: The run's name.
    /// - Returns: What it left behind.
    /// - Throws: What the run throws.
    func run(
        _ method: TrainingMethod,
        _ texts: [(key: String, text: String)],
        name: String
    ) async throws -> Outcome {
        // A session computes in its own way, and leaves that in force.
        let policy = ComputePolicy.current
        defer { ComputePolicy.current = policy }
        let output = folder.appending(path: "runs/\(name)")
        let session = try RunSessions.make(
            RunRequest(
                options: try options(method, texts, output: output),
                output: output.path,
                resuming: nil,
                recipe: "test",
                toolVersion: "test"
            ),
            observer: Silent(),
            stop: StopRequest()
        )
        _ = try await session.run()
        return try outcome(output, session.plan)
    }

    /// The options of a run, on top of those of a method's tiny base.
    func options(
        _ method: TrainingMethod,
        _ texts: [(key: String, text: String)],
        output: URL
    ) throws -> TrainingOptions {
        var options = TrainingOptions.defaults(of: method)
        for (key, text) in Self.base(method) + texts {
            let text = text.replacing("{run}", with: output.path)
                .replacing("{", with: folder.path + "/").replacing("}", with: "")
            try options.set(key, to: text, source: "the test")
        }
        return options
    }

    /// Writes what the options of the tables read: images, checkpoints to start from, recipes of a teacher.
    func prepare() async throws {
        try write("data", train: 4, validation: 2, seed: 1)
        try write("other", train: 4, validation: 2, seed: 2)
        try write("whole", train: 8, validation: 0, seed: 3)
        try write("turned", train: 4, validation: 2, seed: 1, isTurned: true)
        try write("damaged", train: 4, validation: 2, seed: 1)
        try Data("no image".utf8).write(
            to: folder.appending(path: "damaged/train/class-0/0.png")
        )
        for (name, seed) in [("teacher", "7"), ("other-teacher", "8")] {
            let outcome = try await run(.supervised, [("seed", seed)], name: "made-\(name)")
            try FileManager.default.moveItem(
                at: outcome.run.appending(path: "checkpoints/step-4"),
                to: folder.appending(path: name)
            )
        }
        // As facebookresearch/deit saves a run: the weights, and the average beside them.
        let both = try [("model", "teacher"), ("model_ema", "other-teacher")].map { key, name in
            let model = try ModelDirectory.load(
                folder.appending(path: name).path,
                options: LoadOptions()
            ).model
            return (key: key, value: PyTorchValue.stateDict(model.namedTensors()))
        }
        try PyTorchWriter.write(.dictionary(both), to: folder.appending(path: "both.pth").path)
        for (name, rate) in [("slow", "1e-3"), ("fast", "0.1")] {
            let options = Self.base(.supervised).filter { !["data", "model"].contains($0.key) }
            let lines =
                options.map { "\($0.key): \($0.text)" } + [
                    "model: checkpoint", "lr: \(rate)", "sched_on_updates: on",
                ]
            try lines.filter { $0 != "lr: 1e-2" }.joined(separator: "\n").write(
                to: folder.appending(path: "\(name).yaml"),
                atomically: true,
                encoding: .utf8
            )
        }
    }

    /// Nothing random beside the order of the images: two epochs of two steps, of a transformer on images of 8 pixels.
    private static func base(_ method: TrainingMethod) -> [(key: String, text: String)] {
        let all = [
            ("data", "{data}"), ("model", "deit_nano_patch4_28"), ("size", "8"), ("epochs", "2"),
            ("batch", "8"), ("lr", "1e-2"), ("lr_scaling", "off"), ("warmup_epochs", "0"),
            ("min_lr", "1e-3"), ("weight_decay", "0"), ("clip_grad", "off"), ("drop_path", "0"),
            ("flip", "0"), ("color_jitter", "0"), ("grayscale_prob", "0"), ("dtype", "fp32"),
            ("threads", "1"), ("workers", "1"), ("tensorboard", "off"), ("val_fraction", "off"),
        ]
        switch method {
        case .supervised:
            return all + [
                ("ema", "off"), ("smoothing", "0"), ("crop_scale", "off"), ("aa", "off"),
                ("reprob", "0"), ("mixup", "0"), ("cutmix", "0"), ("repeated_aug", "off"),
            ]
        case .dino:
            return all + [
                ("out_dim", "16"), ("head_hidden_dim", "16"), ("head_bottleneck_dim", "8"),
                ("local_crops_number", "2"), ("local_crops_size", "4"), ("momentum_teacher", "0.9"),
                ("global_blur_prob", "0,0"), ("local_blur_prob", "0"), ("solarize_prob", "0"),
                ("color_jitter_prob", "1"), ("weight_decay_end", "off"),
                ("freeze_last_layer", "0"), ("knn_interval", "off"),
            ]
        case .mim:
            return all + [
                ("size", "16"), ("mask_patch_size", "4"), ("mask_ratio", "0.5"),
                ("crop_scale", "off"), ("shown_images", "0"),
            ]
        }
    }

    /// What a run left behind.
    func outcome(_ run: URL, _ plan: RunPlan) throws -> Outcome {
        let last = run.appending(path: "checkpoints/last").resolvingSymlinksInPath()
        let state = try Safetensors.read(last.appending(path: "trainer.safetensors").path)
        let records = try String(contentsOf: run.appending(path: "metrics.jsonl"), encoding: .utf8)
        let names = FileManager.default.enumerator(atPath: run.path)?.compactMap { $0 as? String }
        return Outcome(
            run: run,
            weights: try Data(contentsOf: last.appending(path: "model.safetensors")),
            state: try state.mapValues { try $0.to(.float32).floats() },
            records: try records.split(separator: "\n").map { try timeless(String($0)) },
            files: Set(names ?? []),
            manifest: try RunManifest.read(run.appending(path: "run.yaml").path),
            plan: plan
        )
    }

    private nonisolated func timeless(_ line: String) throws -> String {
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        let kept = (object ?? [:]).filter {
            !["seconds", "images_per_second", "data_wait"].contains($0.key)
        }
        let data = try JSONSerialization.data(withJSONObject: kept, options: .sortedKeys)
        return String(decoding: data, as: UTF8.self)
    }

    /// A chunk `eXIf` of PNG files that says that the image stands on its head.
    private static let upsideDown: [UInt8] = [
        0x00, 0x00, 0x00, 0x1a, 0x65, 0x58, 0x49, 0x66, 0x4d, 0x4d, 0x00, 0x2a, 0x00, 0x00, 0x00,
        0x08, 0x00, 0x01, 0x01, 0x12, 0x00, 0x03, 0x00, 0x00, 0x00, 0x01, 0x00, 0x03, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x84, 0x5f, 0x64, 0xce,
    ]

    /// Writes coloured noise of 8 pixels, whose class is told by the row that is bright: `train/class-0/0.png`, `val/…`.
    private func write(
        _ name: String,
        train: Int,
        validation: Int,
        seed: UInt64,
        isTurned: Bool = false
    ) throws {
        var generator = SplitMix64(seed: seed)
        for (part, count) in [("train", train), ("val", validation)] where count > 0 {
            for label in 0..<4 {
                let place = folder.appending(path: "\(name)/\(part)/class-\(label)")
                try FileManager.default.createDirectory(
                    at: place,
                    withIntermediateDirectories: true
                )
                for index in 0..<count {
                    let pixels = (0..<192).map { at in
                        UInt8(generator.integer(below: 128) + (at / 48 == label ? 127 : 0))
                    }
                    let image = try Image(height: 8, width: 8, channels: 3, pixels: pixels)
                    var file = Data(try image.encodedPNG())
                    // After the signature and IHDR.
                    if isTurned { file.insert(contentsOf: Self.upsideDown, at: 33) }
                    try file.write(to: place.appending(path: "\(index).png"))
                }
            }
        }
    }
}
