import Checkpoints
import ImagePipeline
import Testing
import VisionModels

@testable import Training

/// Options that contradict one another, told before anything is opened or created.
@Suite struct PreflightTests {
    private func options(_ change: (inout TrainingOptions) -> Void) -> TrainingOptions {
        var options = TrainingOptions()
        options.data = "data"
        change(&options)
        return options
    }

    @Test(arguments: [
        ("three_augment: on", "aa"), ("crop_padding: 4", "crop_scale"), ("batch: 1", "Mixup"),
        ("bce_loss: on", "--smoothing 0"), ("accumulation: 65", "--accumulation"),
        ("lr_lag: on\nsched_on_updates: on", "sched_on_updates"),
        ("model: checkpoint", "--finetune"),
        ("freeze: all", "--finetune"), ("attn_only: on", "--finetune"),
        ("finetune: x\nfreeze: 2\nattn_only: on", "exclude"),
        ("state_dict: teacher", "--finetune"),
        ("teacher: x\ndistillation: hard\nsingle_head: on", "single_head"),
        ("cutmix_minmax: 0.8,0.2", "first"),
        ("aa: rand-m9-foo1", "foo1"), ("src: on\ncrop_scale: off\ncrop_padding: 4", "src"),
        ("distillation: hard", "--teacher"),
        ("teacher: x", "--distillation"),
    ])
    func contradictionsAreRefused(yaml: String, word: String) throws {
        var options = options { _ in }
        try options.apply(Recipe(name: "mine", yaml: yaml))
        let error = #expect(throws: OptionError.self) { try Preflight.check(options) }
        #expect(error?.description.contains(word) == true, "\(String(describing: error))")
    }

    @Test func whatFitsTogetherIsTaken() throws {
        try Preflight.check(options { _ in })
        try Preflight.check(
            options {
                $0.batch = 1
                $0.mixup = 0
                $0.cutmix = 0
            }
        )
        try Preflight.check(
            options {
                $0.batch = 1
                $0.mixupProb = 0
            }
        )
    }

    @Test func anEpochWithoutAStepIsRefused() {
        let options = options { $0.batch = 64 }
        #expect(throws: Never.self) {
            try RunData.check(options, imagesPerEpoch: 64, classes: 2, path: "data")
        }
        #expect(throws: (any Error).self) {
            try RunData.check(options, imagesPerEpoch: 63, classes: 2, path: "data")
        }
        let error = #expect(throws: (any Error).self) {
            try RunData.check(options, imagesPerEpoch: 64, classes: 1, path: "data")
        }
        #expect("\(String(describing: error))".contains("at least two"))
    }

    // MARK: - What the options make of images

    private func operations(_ yaml: String) throws -> TrainingTransform {
        var options = options { $0.model = "deit_nano_patch4_32" }
        try options.apply(Recipe(name: "mine", yaml: yaml))
        let description = try ClassifierFactory.description(options, classNames: ["a", "b"])
        return try Augmentation.transform(
            options,
            description.configuration,
            description.processor
        )
    }

    private func names(_ transform: TrainingTransform) -> [String] {
        transform.operations.map { String("\($0)".prefix { $0 != "(" }) }
    }

    @Test func theOrderIsTimms() throws {
        #expect(
            try names(operations("")) == ["randomResizedCrop", "horizontalFlip", "randAugment"]
        )
        #expect(
            try names(operations("crop_scale: off\ncrop_padding: 4\naa: off\nvflip: 0.5"))
                == ["resize", "randomCrop", "horizontalFlip", "verticalFlip", "colorJitter"]
        )
        #expect(
            try names(
                operations(
                    "aa: off\nthree_augment: on\ngrayscale_prob: 0.1\ngaussian_blur_prob: 0.1"
                )
            )
                == [
                    "randomResizedCrop", "horizontalFlip", "threeAugment", "colorJitter",
                    "grayscale", "gaussianBlur",
                ]
        )
        #expect(
            try names(operations("aa: original\ncolor_jitter: 0.4"))
                == ["randomResizedCrop", "horizontalFlip", "autoAugment"]
        )
        #expect(
            try names(operations("aa: off\ncolor_jitter: 0\ncrop_scale: off"))
                == ["resize", "horizontalFlip"]
        )
        #expect(
            try operations("src: on\naa: off\ncolor_jitter: 0").operations.prefix(2)
                == [
                    .resize(.shortestSide(32), interpolation: .bicubic),
                    .randomCrop(RandomCrop(height: 32, width: 32, padding: 4, border: .reflect)),
                ]
        )
        let random = try operations("train_interpolation: random").operations
        #expect(
            random.first
                == .randomResizedCrop(RandomResizedCrop(height: 32, width: 32, interpolation: nil))
        )
        #expect(try operations("").erasing == RandomErasing(probability: 0.25, mode: .pixel))
        #expect(try operations("reprob: 0").erasing == nil)
        #expect(throws: ImageError.self) { try operations("aa: rand-m9-foo") }
    }

    @Test func greyModelsHaveStatisticsOfTheirOwn() throws {
        var options = options { $0.model = "deit_nano_patch4_32" }
        let usual = try ClassifierFactory.description(options, classNames: ["a", "b"])
        #expect(
            usual.configuration.inChannels == 3
                && usual.processor.mean == Normalization.imageNet.mean
        )
        options.inChans = 1
        let grey = try ClassifierFactory.description(options, classNames: ["a", "b"])
        #expect(grey.configuration.inChannels == 1)
        #expect(grey.processor.channels == 1 && grey.processor.mean == [0.5])
        options.model = "deit_tiny_patch16_224"
        let large = try ClassifierFactory.description(options, classNames: ["a", "b"])
        #expect(large.processor.resize == .shortestSide(256) && large.processor.channels == 1)
        options.inChans = nil
        let deit = try ClassifierFactory.description(options, classNames: ["a", "b"])
        #expect(deit.processor == (try ImageProcessor.deit()))
    }

    @Test func mixingFollowsTheOptions() throws {
        #expect(try Augmentation.mixing(options { _ in }) == Mixing())
        #expect(try Augmentation.mixing(options { $0.mixupProb = 0 }) == nil)
        let bounds = try Augmentation.mixing(
            options {
                $0.mixup = 0
                $0.cutmix = 0
                $0.cutmixMinmax = [0.2, 0.8]
                $0.mixupMode = .elem
            }
        )
        #expect(bounds?.cutmixMinMax == [0.2, 0.8] && bounds?.mode == .elem)
    }

    // MARK: - Frozen weights

    @Test func whatIsTrained() {
        let names = [
            "cls_token", "pos_embed", "patch_embed.proj.weight", "blocks.0.attn.qkv.weight",
            "blocks.1.mlp.fc1.bias", "norm.weight", "head.weight", "head_dist.bias",
        ]
        func trained(_ change: (inout TrainingOptions) -> Void) -> [String] {
            let changed = options(change)
            return names.filter { FrozenWeights.isTrained($0, changed) }
        }
        #expect(trained { _ in } == names)
        #expect(trained { $0.freeze = .backbone } == ["head.weight", "head_dist.bias"])
        #expect(
            trained { $0.freeze = .blocks(1) }
                == ["blocks.1.mlp.fc1.bias", "norm.weight", "head.weight", "head_dist.bias"]
        )
        #expect(
            trained { $0.attnOnly = true }
                == ["pos_embed", "blocks.0.attn.qkv.weight", "head.weight", "head_dist.bias"]
        )
        let resNet = [
            "conv1.weight", "bn1.bias", "layer1.0.conv1.weight", "layer2.0.bn1.weight", "fc.bias",
        ]
        let stem = options { $0.freeze = .blocks(1) }
        #expect(
            resNet.filter { FrozenWeights.isTrained($0, stem) }
                == ["layer2.0.bn1.weight", "fc.bias"]
        )
    }
}
