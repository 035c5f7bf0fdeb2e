// train-your-own DATA [RUN]: trains a small convolutional network with a loss of its own.
//
// DATA holds train/CLASS/… and val/CLASS/… with images, or another layout that `deit train` reads. Metrics and checkpoints
// are written to RUN; started again with the same RUN, the program resumes from the newest checkpoint.

import Datasets
import Foundation
import ImagePipeline
import Torch
import TorchNN
import Training

/// The names of the properties are the names of the weights in the checkpoint.
final class SmallNet: Module {
    let convs: [Conv2d]
    let head: Linear

    init(classes: Int) throws {
        convs = try [(1, 16), (16, 32), (32, 64)].map { inChannels, outChannels in
            try Conv2d(inChannels, outChannels, kernel: 3, stride: 2, padding: 1)
        }
        head = try Linear(64, classes)
        super.init()
    }

    func callAsFunction(_ images: Tensor) throws -> Tensor {
        let features = try convs.reduce(images) { x, conv in try Functional.relu(conv(x)) }
        return try head(features.mean([2, 3]))
    }
}

/// Focal loss (arXiv:1708.02002): images whose class is predicted with confidence weigh less.
func focalLoss(_ logits: Tensor, _ labels: Tensor) throws -> Tensor {
    let classes = try labels.oneHot(classes: logits.shape[1])
    let logarithm = try (Functional.logSoftmax(logits.to(.float32)) * classes).sum([1])
    return try -((logarithm.exp() - 1).pow(2) * logarithm).mean()
}

struct Printer: TrainingObserver {
    func didFinish(epoch: EpochReport) {
        guard let score = epoch.validation else { return }
        let numbers = String(format: "loss %.4f, accuracy %.3f", score.loss, score.top1)
        print("epoch \(epoch.epoch): \(numbers) on \(score.count) images")
    }
}

/// Batches of grey images of 28 × 28 pixels.
func loader(_ images: any ImageDataset, batch: Int, shuffles: Bool) throws -> DataLoader {
    try DataLoader(
        dataset: images,
        transform: ImageProcessor.whole(
            height: 28,
            width: 28,
            channels: 1,
            mean: [0.5],
            std: [0.5]
        ),
        plan: EpochPlan(count: images.count, batchSize: batch, shuffles: shuffles)
    )
}

@ModelActor
func train(_ data: String, output: String?) async throws {
    let (images, held) = try DatasetLocation(path: data, valFraction: 0.1).openBoth()
    try manualSeed(0)
    let trainer = try Trainer(
        SmallNet(classes: images.classNames.count),
        training: loader(images, batch: 32, shuffles: true),
        validation: loader(held, batch: 64, shuffles: false),
        plan: TrainingPlan(epochs: 4, learningRate: .cosine(3e-3, warmup: 0.1), output: output),
        observer: Printer()
    ) { model, images, targets in
        let logits = try model(images)
        return TaskResult(loss: try focalLoss(logits, targets.labels), prediction: logits)
    }
    print("\(trainer.totalSteps - trainer.stepsTaken) steps to train")
    _ = try await trainer.run()
}

let arguments = Array(CommandLine.arguments.dropFirst())
guard !arguments.isEmpty else { fatalError("usage: train-your-own DATA [RUN]") }
try await train(arguments[0], output: arguments.count > 1 ? arguments[1] : nil)
