import Datasets
import Foundation
import ImagePipeline
import VisionModels

/// Checks of DINO's options against one another, before anything is created.
enum DINOPreflight {
    /// Options that contradict one another.
    static func check(_ options: TrainingOptions) throws(OptionError) {
        try UnlabelledData.check(options, for: .dino)
        for (name, range) in [
            ("global_crops_scale", options.globalCropsScale),
            ("local_crops_scale", options.localCropsScale),
        ] {
            guard let range, range[0] > 0, range[0] <= range[1] else {
                throw .conflict(
                    "\(name) must be the smallest and the largest fraction of an image that a crop keeps, such as 0.4,1"
                )
            }
        }
        guard options.globalCropsNumber + options.localCropsNumber > 1 else {
            throw .conflict(
                "a single crop cannot be compared with another: use --global-crops-number 2, or local crops too"
            )
        }
        if options.useBNInHead, options.batch / options.accumulation < 2 {
            throw .conflict(
                "batch normalization needs at least two images per step: choose a larger --batch or --use-bn-in-head off"
            )
        }
    }

    /// Sizes that do not go together.
    static func checkSizes(
        _ configuration: ModelConfiguration,
        localSize: Int,
        _ options: TrainingOptions
    ) throws(OptionError) {
        let (height, width) = configuration.imageSize
        guard height == width else {
            throw .conflict(
                "crops are square, but \(options.model) takes images of \(ImageSize(height: height, width: width))"
            )
        }
        guard options.localCropsNumber > 0 else { return }
        guard localSize <= height else {
            throw .conflict(
                "local crops of \(localSize) pixels are larger than the global crops of \(height): "
                    + "choose a smaller --local-crops-size, or a larger --size"
            )
        }
        if let transformer = configuration.transformer, localSize < transformer.patchSize {
            throw .conflict(
                "a local crop of \(localSize) pixels is smaller than a patch of \(transformer.patchSize): "
                    + "choose a larger --local-crops-size"
            )
        }
    }

    /// What a person should know of a teacher's temperature that is known to be unstable; nil of others.
    static func noteOfTemperature(_ options: TrainingOptions) -> String? {
        guard options.teacherTemp > DINOWatch.largestTeacherTemp else { return nil }
        return
            "a teacher_temp of \(options.teacherTemp) is above \(DINOWatch.largestTeacherTemp), where training is "
            + "unstable; DINO's is \(DINOWatch.usualTeacherTemp) (0.9 is the momentum of the centre)"
    }

    /// What a person should know of images that are smaller than the crops made of them; nil where they are not.
    static func noteOfSmallImages(_ dataset: any ImageDataset, globalSize: Int) -> String? {
        let looked = stride(from: 0, to: dataset.count, by: max(1, dataset.count / 32)).prefix(32)
        var smallest: (height: Int, width: Int)?
        var small = 0
        var seen = 0
        for index in looked {
            guard let size = size(of: dataset, index) else { continue }
            seen += 1
            guard min(size.height, size.width) < globalSize else { continue }
            small += 1
            if smallest.map({ min(size.height, size.width) < min($0.height, $0.width) }) ?? true {
                smallest = size
            }
        }
        guard let smallest, small * 2 > seen else { return nil }
        return
            "images are smaller than the global crops of \(globalSize) pixels (one has "
            + "\(ImageSize(height: smallest.height, width: smallest.width))) and will be enlarged; a model for small images learns faster, such as "
            + "--recipe dino-cifar, or choose a smaller --size"
    }

    private static func size(
        of dataset: any ImageDataset,
        _ index: Int
    ) -> (height: Int, width: Int)? {
        if let file = try? dataset.encodedImage(at: index) { return (file.height, file.width) }
        return (try? dataset.image(at: index)).map { ($0.height, $0.width) }
    }
}
