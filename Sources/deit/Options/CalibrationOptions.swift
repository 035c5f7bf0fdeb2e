import ArgumentParser
import Checkpoints
import Datasets
import Evaluation
import Foundation
import Torch
import TorchNN

/// The images that the steps of 8-bit numbers are found from.
struct CalibrationOptions: ParsableArguments {
    @Option(help: "Directory of calibration images (int8 only).")
    var calibrate: String?

    @Option(help: "Number of calibration images, drawn from all classes (default: 128).")
    var calibrationCount: Int?

    func validate() throws {
        guard calibrationCount == nil || calibrate != nil else {
            throw ValidationError("--calibration-count needs --calibrate")
        }
        // They are held in memory: 1024 images of 224 × 224 are 0.6 GB.
        guard calibrationCount.map({ (1...4096).contains($0) }) ?? true else {
            throw ValidationError("--calibration-count must be from 1 to 4096")
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
        guard let calibrate else { return nil }
        // The workers need the processors that idle threads would spin on.
        OpenMPWaiting.spinBriefly()
        ComputePolicy.current = try .automatic(dtype: .float32)
        var options = options
        options.relaxations.insert(.noHead)
        let images = try await Int8Quantization.images(
            of: DatasetLocation(path: calibrate),
            count: calibrationCount ?? 128,
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
