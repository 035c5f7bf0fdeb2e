import ArgumentParser
import Checkpoints
import Evaluation
import Foundation
import Torch

/// `deit classify`: what pictures show.
struct ClassifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "classify",
        abstract: "Name what pictures show.",
        discussion: """
            Examples:
              deit classify runs/first cat.jpg dog.png
              deit classify tiny.safetensors --labels synsets.txt --top 3 --json cat.jpg

            Pictures are JPEG, PNG or WebP. A score is a probability. One picture that
            cannot be read is an error, and nothing is printed.
            """
    )

    @OptionGroup var checkpoint: CheckpointOptions

    @Argument(help: "The pictures.", completion: .file())
    var images: [String]

    @Option(help: "How many classes to print for each picture.")
    var top = 5

    @Flag(help: "Print a JSON list.")
    var json = false

    func validate() throws {
        guard top > 0 else { throw ValidationError("--top must be at least 1, not \(top)") }
        guard !images.isEmpty else { throw ValidationError("name at least one picture") }
    }

    @ModelActor
    func run() async throws {
        OpenMPWaiting.spinBriefly()
        let loaded = try checkpoint.load()
        let predictions = try PictureClassifier.classify(images, with: loaded, top: top)
        checkpoint.tellAssumptions(loaded)
        if json {
            try Results.print(JSONValue.array(predictions.map(\.json)).text())
        } else {
            try Results.print(predictions.map(text).joined(separator: "\n"))
        }
    }

    private func text(_ prediction: PicturePrediction) -> String {
        let lines = prediction.predictions.map {
            String(format: "  %6.2f %%  ", $0.score * 100) + $0.label
        }
        return ([prediction.file] + lines).joined(separator: "\n")
    }
}
