import Foundation
import TestSupport
import Testing

@testable import Training

@Suite struct TrainingOptionsTests {
    @Test func everyOptionReadsWhatItWrites() throws {
        var options = TrainingOptions()
        for setting in Settings.all {
            try options.set(setting.key, to: setting.text(in: options), source: "test")
        }
        #expect(options == TrainingOptions())
    }

    @Test func jsonUsesTheKeysOfRecipes() throws {
        let data = try JSONEncoder().encode(TrainingOptions())
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(object["weight_decay"] as? Double == 0.05)
        #expect(try JSONDecoder().decode(TrainingOptions.self, from: data) == TrainingOptions())
    }

    @Test func flagsOverrideTheRecipeWhichOverridesDefaults() throws {
        var options = TrainingOptions()
        try options.apply(Recipe(name: "mine", yaml: "epochs: 7\nlr: 1.0e-3\nema: off\n"))
        try options.set("lr", to: "0.002", source: "the command line")
        #expect(options.epochs == 7)
        #expect(options.lr == 0.002)
        #expect(options.ema == nil)
        #expect(options.weightDecay == TrainingOptions().weightDecay)
    }

    @Test func dashesAndUnderscoresAreTheSame() throws {
        var options = TrainingOptions()
        try options.apply(Recipe(name: "mine", yaml: "weight-decay: 0.1\nmin_lr: 0\n"))
        #expect(options.weightDecay == 0.1)
        #expect(options.minLR == 0)
    }

    @Test func lrScalingIsDeiTsRule() {
        var options = TrainingOptions()
        options.batch = 128
        #expect(options.effectiveLR == 5e-4 * 128 / 512)
        options.lrScaling = false
        #expect(options.effectiveLR == 5e-4)
    }

    @Test(arguments: [
        ("lr", "fast"), ("lr", "0"), ("lr", "nan"), ("lr", "inf"), ("epochs", "0"),
        ("epochs", "1.5"),
        ("epochs", "99999999999999999999"), ("batch", "-1"), ("smoothing", "1"), ("ema", "2"),
        ("ema", "on"),
        ("distillation", "sofft"), ("size", "0"), ("lr_scaling", "maybe"), ("flip", "1.1"),
        ("clip_grad", "0"), ("accumulation", "0"), ("opt_betas", "0.9"), ("opt_betas", "0.9,1"),
        ("cutmix_minmax", "0.2,x"), ("repeated_aug", "-1"), ("freeze", "0"), ("freeze", "1.5"),
        ("freeze", "a,,b"), ("layer_decay", "0"), ("layer_decay", "1.1"), ("state_dict", ""),
        ("remode", "black"), ("mixup_mode", "all"), ("mixup", "-0.1"), ("reprob", "1.1"),
        ("aa", ""),
    ])
    func badValuesAreRefused(key: String, text: String) {
        var options = TrainingOptions()
        #expect(throws: OptionError.self) { try options.set(key, to: text, source: "test") }
        #expect(options == TrainingOptions())
    }

    @Test func theDefaultsAreThoseOfDeiTsMain() {
        let options = TrainingOptions()
        let texts = Dictionary(
            Settings.all.map { ($0.key, $0.text(in: options)) },
            uniquingKeysWith: { first, _ in first }
        )
        // facebookresearch/deit main.py, get_args_parser, by the names here.
        let original = [
            "batch": "64", "epochs": "300", "drop": "0.0", "drop_path": "0.1", "ema": "0.99996",
            "optimizer": "adamw", "opt_eps": "1e-08", "opt_betas": "auto", "clip_grad": "off",
            "momentum": "0.9", "weight_decay": "0.05", "schedule": "cosine", "lr": "0.0005",
            "warmup_lr": "1e-06", "min_lr": "1e-05", "warmup_epochs": "5.0", "color_jitter": "0.3",
            "aa": "rand-m9-mstd0.5-inc1", "smoothing": "0.1", "train_interpolation": "bicubic",
            "repeated_aug": "3", "train_mode": "on", "three_augment": "off", "reprob": "0.25",
            "remode": "pixel", "recount": "1", "mixup": "0.8", "cutmix": "1.0",
            "cutmix_minmax": "off", "mixup_prob": "1.0", "mixup_switch_prob": "0.5",
            "mixup_mode": "batch", "distillation": "none", "distillation_alpha": "0.5",
            "distillation_tau": "1.0", "bce_loss": "off", "attn_only": "off", "seed": "0",
            "lr_scaling": "on", "sched_on_updates": "off", "lr_lag": "off",
        ]
        for (key, text) in original { #expect(texts[key] == text, "\(key)") }
    }

    @Test func valuesOfSeveralFormsAreTheSame() throws {
        var options = TrainingOptions()
        try options.apply(
            Recipe(
                name: "mine",
                yaml:
                    "cutmix_minmax: [0.2, 0.8]\nopt_betas: 0.9, 0.95\nrepeated_aug: on\nfreeze: 3\naa: none\n"
            )
        )
        #expect(options.cutmixMinmax == [0.2, 0.8])
        #expect(options.optBetas == [0.9, 0.95])
        #expect(options.repeatedAug == 3)
        #expect(options.freeze == .blocks(3))
        #expect(options.aa == nil)
        try options.apply(Recipe(name: "mine", yaml: "freeze: [patch_embed, blocks.*.mlp]"))
        #expect(options.freeze == .names(["patch_embed", "blocks.*.mlp"]))
        for (text, repeats) in [("off", nil), ("1", nil), ("no", nil), ("true", 3), ("2", 2)] {
            try options.set("repeated_aug", to: text, source: "test")
            #expect(options.repeatedAug == repeats)
        }
    }

    @Test func namesOfTimmAndDeiTAreToldOurs() {
        let error = #expect(throws: OptionError.self) {
            var options = TrainingOptions()
            try options.set("model-ema-decay", to: "0.9", source: "the command line")
        }
        #expect(
            error?.description
                == "the command line: unknown option \"model-ema-decay\"; here it is ema"
        )
        #expect(TrainingOptions.ours(for: "--batch-size") == "batch")
        #expect(TrainingOptions.ours(for: "--ThreeAugment") == "three_augment")
        #expect(TrainingOptions.ours(for: "--batch") == nil)
        let keys = Set(Settings.all.map(\.key))
        #expect(keys.isDisjoint(with: TrainingOptions.otherNames.keys))
        #expect(keys.isDisjoint(with: TrainingOptions.absentNames.keys))
        let absent = OptionError.unknownKey("cosub", source: "the command line").description
        #expect(absent.contains("is not implemented; leave it out"))
    }

    @Test func errorsNameTheNearestOption() {
        var options = TrainingOptions()
        let unknown = #expect(throws: OptionError.self) {
            try options.set("wieght_decay", to: "1", source: "the recipe mine")
        }
        #expect(
            unknown?.description
                == "the recipe mine: unknown option \"wieght_decay\"; did you mean \"weight_decay\"?"
        )
        let value = #expect(throws: OptionError.self) {
            try options.set("distillation", to: "sofft", source: "the command line")
        }
        #expect(value?.description.contains("did you mean \"soft\"?") == true)
    }
}

@Suite struct RecipeTests {
    @Test func shippedRecipesAreTheFilesOfTheRecipesFolder() throws {
        let folder = Checkout.root.appending(path: "Recipes")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
            $0.hasSuffix(".yaml")
        }
        #expect(files.sorted() == Recipe.shippedNames.map { $0 + ".yaml" }.sorted())
        for name in Recipe.shippedNames {
            let file = try Data(contentsOf: folder.appending(path: "\(name).yaml"))
            #expect(Recipe.shipped[name].map { Data($0) } == file)
            var options = TrainingOptions()
            try options.apply(Recipe.named(name))
            #expect(options != TrainingOptions())
            options.data = "data"
            if options.model == TrainingOptions.modelOfCheckpoint {
                options.finetune = "checkpoint"
            }
            #expect(throws: Never.self, "\(name)") {
                switch options.method {
                case .supervised: try Preflight.check(options)
                case .dino: try DINOPreflight.check(options)
                case .mim: try MIMPreflight.check(options)
                }
            }
        }
    }

    @Test func unknownRecipesNameTheNearest() {
        let error = #expect(throws: OptionError.self) { try Recipe.named("quickstrat") }
        #expect(error?.description.contains("did you mean \"quickstart\"?") == true)
    }

    @Test(arguments: [
        "epochs: [1, 2]", "- epochs", "epochs: {a: 1}", "epochs: 1\nepochs: 2", "epochs: \"1",
        "epoch: 3",
    ])
    func malformedRecipesAreRefused(yaml: String) {
        #expect(throws: OptionError.self) { try Recipe(name: "mine", yaml: yaml) }
    }

    @Test func anEmptyRecipeChangesNothing() throws {
        #expect(try Recipe(name: "mine", yaml: "# nothing\n").values.isEmpty)
    }

    @Test func aRecipeThatIsNoFileSaysSo() {
        let error = #expect(throws: OptionError.self) { try Recipe.named("no/such/recipe.yaml") }
        #expect(error?.description.contains("no/such/recipe.yaml") == true)
    }
}
