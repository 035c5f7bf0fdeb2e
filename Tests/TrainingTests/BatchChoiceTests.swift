import Testing

@testable import Training

/// The batch by the number of images.
@Suite struct BatchChoiceTests {
    @Test(arguments: [
        (270, 16), (10_000, 64), (1024, 64), (1023, 32), (512, 32), (256, 16), (255, 8), (30, 8),
        (5, 5), (1, 1),
    ])
    func fewImagesGiveStepsEnough(images: Int, batch: Int) {
        #expect(BatchChoice.batch(images: images, usual: 64) == batch)
    }

    @Test func onlyRecipesForOnesOwnDataChoose() throws {
        for name in Recipe.shippedNames {
            let chooses = try Recipe.named(name).choosesBatch
            #expect(chooses == ["finetune", "linear"].contains(name), "\(name)")
        }
    }
}
