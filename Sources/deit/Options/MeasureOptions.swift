import ArgumentParser
import Checkpoints
import Datasets
import Evaluation
import Foundation
import Torch
import TorchNN

/// The images that the cost of 8-bit numbers is measured on.
struct MeasureOptions: ParsableArguments {
    // `calibrate` is the name of earlier versions, which found the steps of inputs on these images.
    @Option(
        name: [.customLong("measure"), .customLong("calibrate")],
        help: "Directory of images to measure the accuracy of int8 on."
    )
    var measure: String?

    @Option(
        name: [.customLong("measure-count"), .customLong("calibration-count")],
        help: "Number of images to measure on, drawn from all classes (default: 128)."
    )
    var measureCount: Int?

    func validate() throws {
        guard measureCount == nil || measure != nil else {
            throw ValidationError("--measure-count needs --measure")
        }
        // They are held in memory: 1024 images of 224 × 224 are 0.6 GB.
        guard measureCount.map({ (1...4096).contains($0) }) ?? true else {
            throw ValidationError("--measure-count must be from 1 to 4096")
        }
    }

    /// Reads the images, preprocessed for the model.
    ///
    /// - Parameters:
    ///   - path: The checkpoint.
    ///   - options: How it is read.
    /// - Returns: The images; nil where none are named.
    /// - Throws: The errors of the data and of reading the checkpoint.
    @ModelActor
    func images(
        for path: String,
        _ options: LoadOptions
    ) async throws -> Int8Quantization.Images? {
        guard let measure else { return nil }
        // The workers need the processors that idle threads would spin on.
        OpenMPWaiting.spinBriefly()
        ComputePolicy.current = try .automatic(dtype: .float32)
        var options = options
        options.relaxations.insert(.noHead)
        let images = try await Int8Quantization.images(
            of: DatasetLocation(path: measure),
            count: measureCount ?? 128,
            for: ModelDirectory.description(of: path, options: options),
            workers: min(8, ProcessInfo.processInfo.activeProcessorCount)
        )
        if images.skipped.count > 0 {
            StatusLine.note(
                "skipped \(images.skipped.count) images that cannot be read: "
                    + images.skipped.listing
            )
        }
        return images
    }
}
