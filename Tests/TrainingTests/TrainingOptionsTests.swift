import Foundation
import TestSupport
import Testing

@testable import Training

@Suite struct TrainingOptionsTests {
    @Test func everyOptionIsInTheTableOnce() {
        let keys = TrainingOptions.fields.map(\.key)
        #expect(keys.sorted() == TrainingOptions.CodingKeys.allCases.map(\.rawValue).sorted())
    }

    @Test func everyOptionReadsWhatItWrites() throws {
        var options = TrainingOptions()
        for field in TrainingOptions.fields {
            try options.set(field.key, to: options.text(of: field), source: "test")
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
        ("clip_grad", "0"),
    ])
    func badValuesAreRefused(key: String, text: String) {
        var options = TrainingOptions()
        #expect(throws: OptionError.self) { try options.set(key, to: text, source: "test") }
        #expect(options == TrainingOptions())
    }

    @Test func errorsNameTheNearestOption() {
        var options = TrainingOptions()
        let unknown = #expect(throws: OptionError.self) {
            try options.set("wieght_decay", to: "1", source: "the recipe mine")
        }
        #expect(
            unknown?.description
                == "the recipe mine has no option \"wieght_decay\"; did you mean \"weight_decay\"?"
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
        #expect(files.sorted() == Recipe.shippedNames.map { $0 + ".yaml" })
        for name in Recipe.shippedNames {
            let file = try Data(contentsOf: folder.appending(path: "\(name).yaml"))
            #expect(Recipe.shipped[name].map { Data($0) } == file)
            var options = TrainingOptions()
            try options.apply(Recipe.named(name))
            #expect(options != TrainingOptions())
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
