import Datasets
import ImagePipeline
import VisionModels

/// Checks of options against one another and against the data, before anything is created.
enum Preflight {
    /// Options that contradict one another.
    static func check(_ options: TrainingOptions) throws(OptionError) {
        guard options.method == .supervised else {
            throw .conflict(
                "the recipe is for \(options.method.command), not for \(TrainingMethod.supervised.command)"
            )
        }
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
        try checkTeacher(options)
        if options.distillation != .none, options.singleHead {
            throw .conflict(
                "single_head removes the head that learns from the teacher: leave out --single-head, or --teacher and "
                    + "--distillation"
            )
        }
        try options.checkTeachers()
        try checkImages(options)
        try checkBalance(options)
        try checkSchedule(options)
        try checkFineTuning(options)
    }

    private static func checkTeacher(_ options: TrainingOptions) throws(OptionError) {
        // Answers may be kept where there is no teacher: a study says so for rows with and without one.
        if options.teacher.isEmpty, options.teacherFinetune != nil {
            throw .conflict(
                "teacher_finetune without a teacher: add --teacher CHECKPOINT --distillation hard"
            )
        }
    }

    private static func checkImages(_ options: TrainingOptions) throws(OptionError) {
        if options.cropScale != nil, options.cropPadding != nil {
            throw .conflict(
                "crop_scale and crop_padding exclude each other: add --crop-scale off or --crop-padding off"
            )
        }
        if options.src, options.cropPadding != nil {
            throw .conflict(
                "src and crop_padding exclude each other: add --src off or --crop-padding off"
            )
        }
        if options.threeAugment, options.aa != nil {
            throw .conflict(
                "three_augment and aa exclude each other: add --aa off or --three-augment off"
            )
        }
        do throws(ImageError) {
            _ = try Augmentation.colours(options, mean: [0.5, 0.5, 0.5])
        } catch {
            throw .conflict("aa cannot be used: \(error)")
        }
        if let bounds = options.cutmixMinmax, bounds[0] > bounds[1] || bounds[1] == 0 {
            throw .conflict(
                "cutmix_minmax is \(bounds[0]),\(bounds[1]): give the smaller fraction first; the larger must be above 0"
            )
        }
        if options.mixes, options.batch < 2 {
            throw .conflict(
                "Mixup and CutMix need batches of at least 2 images, not \(options.batch): "
                    + "add --mixup 0 --cutmix 0 or choose a larger --batch"
            )
        }
        if options.bceLoss, options.smoothing > 0 {
            throw .conflict(
                "bce_loss treats every class with a target above 0 as positive, so smoothing makes all positive: "
                    + "add --smoothing 0"
            )
        }
    }

    private static func checkBalance(_ options: TrainingOptions) throws(OptionError) {
        let isByNumber: Bool =
            switch options.classWeights {
            case .balanced, .effective: true
            case .none, .list, .file: false
            }
        if options.sampler == .balanced, isByNumber {
            throw .conflict(
                "sampler balanced and class_weights \(options.classWeights.rawValue) both correct for the sizes of the "
                    + "classes, and together they correct twice: leave out one of them"
            )
        }
    }

    private static func checkSchedule(_ options: TrainingOptions) throws(OptionError) {
        if options.accumulation > options.batch {
            throw .conflict(
                "a batch of \(options.batch) cannot be divided into \(options.accumulation) parts: "
                    + "choose a smaller --accumulation"
            )
        }
        if options.lrLag, options.schedOnUpdates {
            throw .conflict(
                "lr_lag and sched_on_updates exclude each other: add "
                    + "--sched-on-updates off or --lr-lag off"
            )
        }
    }

    private static func checkFineTuning(_ options: TrainingOptions) throws(OptionError) {
        guard options.finetune.isEmpty else {
            if options.attnOnly, options.freeze != .none {
                throw .conflict("attn_only and freeze exclude each other: leave out one of them")
            }
            return
        }
        if options.model == TrainingOptions.modelOfCheckpoint {
            throw .conflict(
                "model checkpoint needs a checkpoint: add --finetune CHECKPOINT, or --model NAME"
            )
        }
        if let stateDict = options.stateDict {
            throw .conflict(
                "state_dict \(stateDict) needs a checkpoint: add --finetune CHECKPOINT"
            )
        }
        if options.freeze != .none || options.attnOnly {
            let key = options.attnOnly ? "attn_only" : "freeze"
            throw .conflict(
                "\(key) would freeze untrained weights: add --finetune CHECKPOINT, or leave it out"
            )
        }
    }
}
