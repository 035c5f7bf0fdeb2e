import ArgumentParser
import Checkpoints
import Datasets
import Evaluation
import Foundation
import ImagePipeline
import Storage
import Training

/// `deit data show`: a sheet of pictures as training shows them to a model.
struct DataShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Write a sheet of pictures as a recipe shows them to the model.",
        discussion: """
            Examples:
              deit data show DIR --recipe deit --output sheet.png
              deit data show DIR --recipe deit --reprob 1 --mixup 0 --output erasing.png

            Every row is a batch of its own, so that every kind of mixing comes up; below each \
            picture stands what it is said to show. The same seed, epoch and options show the \
            same pictures. DIR is what --data takes elsewhere; pictures that belong to no part \
            are all used. The options of augmentation override the recipe. Of a recipe of \
            `deit pretrain dino` a row holds the crops of one picture, the large ones first.
            """
    )

    @Argument(help: "The pictures: a folder, list or archive.", completion: .directory)
    var directory: String

    @Option(help: RecipeChoice.help)
    var recipe = "deit"

    @Option(help: "The PNG file to write.", completion: .file(extensions: ["png"]))
    var output: String

    @Option(help: "The pictures of a row.")
    var columns = 8

    @Option(help: "The rows.")
    var rows = 6

    @Option(help: "The epoch to show, from 0.")
    var epoch = 0

    @OptionGroup(title: "What the recipe says, changed") var changes: RecipeChoice.Changes

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
        let pictures = try RecipeChoice.pictures(recipe, changes, data: directory)
        let workers = ProcessInfo.processInfo.activeProcessorCount
        let loader =
            try pictures.crops.map { crops in
                try pictures.cropLoader(
                    crops,
                    batch: min(rows, pictures.dataset.count),
                    workers: workers
                )
            } ?? pictures.trainingLoader(batch: columns, workers: workers)
        var sheet = ContactSheet(
            normalization: pictures.transform.normalization,
            classNames: pictures.dataset.classNames
        )
        var shown = 0
        var made = 0
        for try await batch in loader.batches(epoch: epoch) {
            if let crops = pictures.crops {
                try sheet.add(batch, crops: crops)
            } else {
                try sheet.add(batch)
            }
            shown += batch.count
            made += pictures.crops == nil ? 1 : batch.count
            if made >= rows { break }
        }
        try AtomicFile.write(try sheet.drawn().encodedPNG(), to: output)
        if loader.skipped.count > 0 {
            StatusLine.note("passed over pictures that cannot be read: \(loader.skipped.listing)")
        }
        Console.line(
            "\(output): \(shown) picture\(shown == 1 ? "" : "s") as \(recipe) shows \(shown == 1 ? "it" : "them") in epoch \(epoch)"
        )
    }
}
