public import Checkpoints
import ImagePipeline
import Inference
import Torch
import VisionModels

extension Diagnosis {
    /// Shows two images to the model, as `deit classify` does, and reports what it cannot take.
    ///
    /// Whether a model fits its own preprocessing shows in no file alone. The images are made in memory, one wider and one
    /// higher than the other way round, in shapes that no preprocessing leaves as they are.
    ///
    /// - Parameters:
    ///   - path: As in `ModelDirectory.load`; nothing happens where a fault was found already.
    ///   - options: What its files do not say.
    @ModelActor
    public mutating func tryOut(_ path: String, options: LoadOptions = LoadOptions()) async {
        guard isSound else { return }
        do {
            var options = options
            options.relaxations.insert(.noHead)
            let loaded = try ModelDirectory.load(path, options: options)
            let predictor = try Predictor(loaded)
            for size in [ImageSize(height: 61, width: 97), ImageSize(height: 97, width: 61)] {
                if let fault = try await Self.fault(of: predictor, size) {
                    return self.fault(fault)
                }
            }
            add("tried out", "with an image wider than high and one higher than wide")
        } catch {
            fault("the model cannot be loaded as `deit classify` does: \(error)")
        }
    }

    /// What goes wrong with an image of a size; nil where nothing does.
    @ModelActor
    private static func fault(of predictor: Predictor, _ size: ImageSize) async throws -> String? {
        let name = "an image of \(size)"
        let file = try made(size).encodedPNG()
        let advice = "correct the sizes in its preprocessing, or give --crop-mode center"
        do {
            guard predictor.loaded.model.numClasses > 0 else {
                let features = try predictor.logits(of: Image(decoding: file)).averaged().floats()
                return features.allSatisfy(\.isFinite)
                    ? nil : "the features of \(name) are not finite"
            }
            var fault: String?
            try await predictor.classify(
                ImageFileList([.bytes(file, name: name)]),
                top: 1,
                workers: 1
            ) { result in
                switch result {
                case .failure(_, let reason): fault = "\(name) cannot be prepared: \(reason)"
                case .prediction(let prediction):
                    guard prediction.predictions.allSatisfy({ $0.score.isFinite }) else {
                        fault = "the scores of \(name) are not finite"
                        return
                    }
                }
            }
            return fault
        } catch {
            return
                "\(name) is preprocessed to an input that the model rejects (\(error)): \(advice)"
        }
    }

    /// An image with something to see everywhere.
    private static func made(_ size: ImageSize) throws(ImageError) -> Image {
        var generator = SplitMix64(seed: 61)
        let pixels = (0..<(size.height * size.width * 3)).map { _ in
            UInt8(truncatingIfNeeded: generator.next())
        }
        return try Image(height: size.height, width: size.width, channels: 3, pixels: pixels)
    }
}
