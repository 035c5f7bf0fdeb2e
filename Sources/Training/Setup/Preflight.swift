import Datasets
import ImagePipeline
import VisionModels

/// Checks of options against one another and against the data, before anything is created.
enum Preflight {
    /// Options that contradict one another.
    static func check(_ options: TrainingOptions) throws(OptionError) {
        if options.data.isEmpty {
            throw .conflict(
                "no data: give --data FOLDER with IDX files, or with train/CLASS/… and val/CLASS/…"
            )
        }
        if options.distillation != .none, options.teacher.isEmpty {
            throw .conflict(
                "--distillation \(options.distillation.rawValue) needs a teacher: add --teacher CHECKPOINT"
            )
        }
        if options.distillation == .none, !options.teacher.isEmpty {
            throw .conflict(
                "a teacher without distillation: add --distillation hard, or leave out --teacher"
            )
        }
        if options.cropScale != nil, options.cropPadding != nil {
            throw .conflict(
                "crop_scale and crop_padding exclude each other: add --crop-scale off or --crop-padding off"
            )
        }
    }

    /// Options that the data does not allow.
    static func check(
        _ options: TrainingOptions,
        trainCount: Int,
        classes: Int,
        path: String
    ) throws(DatasetError) {
        guard classes >= 2 else {
            throw .invalid("\(path) has only one class; a classifier needs two at least")
        }
        guard options.batch <= trainCount else {
            throw .invalid(
                "a batch of \(options.batch) is larger than the data of \(trainCount) training pictures; "
                    + "choose a smaller --batch"
            )
        }
    }

    /// The random way from a picture to a training example.
    static func transform(
        _ options: TrainingOptions,
        _ configuration: ModelConfiguration,
        _ processor: ImageProcessor
    ) throws(ImageError) -> TrainingTransform {
        let (height, width) = configuration.imageSize
        if let padding = options.cropPadding {
            return try .randomCrop(
                matching: processor,
                height: height,
                width: width,
                padding: padding,
                flip: options.flip
            )
        }
        if let scale = options.cropScale {
            return try .randomResizedCrop(
                matching: processor,
                height: height,
                width: width,
                scale: scale...1,
                flip: options.flip
            )
        }
        return try TrainingTransform(
            operations: [
                .resize(
                    .exact(height: height, width: width),
                    interpolation: processor.interpolation
                ),
                .horizontalFlip(probability: options.flip),
            ],
            channels: processor.channels,
            mean: processor.mean,
            std: processor.std
        )
    }
}

extension RunManifest {
    /// Makes sure that a resumed run reads what it read before.
    func checkData(
        train: Int,
        validation: Int,
        classNames: [String],
        run: String
    ) throws(TrainingError) {
        if (train, validation) != counts {
            throw .otherData(
                run: run,
                difference: "\(train) training and \(validation) validation pictures, "
                    + "not \(counts.train) and \(counts.validation)"
            )
        }
        if classNames != self.classNames {
            throw .otherData(run: run, difference: "other classes")
        }
    }
}
