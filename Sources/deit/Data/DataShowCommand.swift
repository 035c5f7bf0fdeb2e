import ArgumentParser
import Checkpoints
import Datasets
import Evaluation
import Foundation
import ImagePipeline
import Storage
import Training

/// `deit data show`: a sheet of images as training shows them to a model.
struct DataShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Write a sheet of images as the model sees them with a recipe.",
        discussion: """
            Examples:
              deit data show DIR --recipe deit --output sheet.png
              deit data show DIR --recipe deit --reprob 1 --mixup 0 --output erasing.png

            Every row is a separate batch, so that all kinds of mixing occur; the target is \
            printed below each image. The same seed, epoch and options show the same images. DIR \
            is any data that --data accepts; without splits, all images are used. Augmentation \
            options override the recipe. With a recipe of `deit pretrain dino`, a row shows the \
            crops of one image, large ones first.
            """
    )

    @Argument(help: "Images: a directory, list or archive.", completion: .directory)
    var directory: String

    @Option(help: RecipeChoice.help)
    var recipe = "deit"

    @Option(help: "PNG file to write.", completion: .file(extensions: ["png"]))
    var output: String

    @Option(help: "Number of images per row.")
    var columns = 8

    @Option(help: "Number of rows.")
    var rows = 6

    @Option(help: "Epoch to show, counted from 0.")
    var epoch = 0

    @OptionGroup(title: "Changes to the recipe") var changes: SettingFlags<RecipeChoice.Changes>

    func validate() throws {
        guard (1...64).contains(columns), (1...64).contains(rows) else {
            throw ValidationError("--columns and --rows must be from 1 to 64")
        }
        guard epoch >= 0 else { throw ValidationError("--epoch must not be negative") }
        guard output.lowercased().hasSuffix(".png") else {
            throw ValidationError("--output \(output) must end in .png")
        }
    }

    func run() async throws {
        let images = try RecipeChoice.images(recipe, changes, data: directory)
        let workers = ProcessInfo.processInfo.activeProcessorCount
        let loader =
            try images.crops.map { crops in
                try images.cropLoader(
                    crops,
                    batch: min(rows, images.dataset.count),
                    workers: workers
                )
            } ?? images.trainingLoader(batch: columns, workers: workers)
        var sheet = ContactSheet(
            normalization: images.transform.normalization,
            classNames: images.dataset.classNames
        )
        var shown = 0
        var made = 0
        for try await batch in loader.batches(epoch: epoch) {
            if let crops = images.crops {
                try sheet.add(batch, crops: crops)
            } else {
                try sheet.add(batch)
            }
            shown += batch.count
            made += images.crops == nil ? 1 : batch.count
            if made >= rows { break }
        }
        try AtomicFile.write(try sheet.drawn().encodedPNG(), to: output)
        if loader.skipped.count > 0 {
            StatusLine.note("skipped images that cannot be read: \(loader.skipped.listing)")
        }
        Console.line(
            "\(output): \(shown) image\(shown == 1 ? "" : "s") as \(recipe) shows \(shown == 1 ? "it" : "them") in epoch \(epoch)"
        )
    }
}
