import Checkpoints
import Evaluation
import Foundation
import Inference
import Storage

/// Writes what a model says of images, one after the other.
struct PredictionPrinter {
    /// How it is written.
    enum Form {
        /// For people: a heading for each image, and its classes below.
        case table
        /// For line tools: file, score and class on a line, with tabs between them.
        case lines
        /// For programs: a list with an object for each image.
        case json
    }

    let form: Form
    private var count = 0

    init(form: Form) { self.form = form }

    /// Writes one result; a failure shows in JSON only, as it is printed on standard error.
    ///
    /// - Returns: Whether anybody still reads.
    mutating func print(_ result: ImageResult) throws -> Bool {
        let text: String
        switch (form, result) {
        case (.json, _):
            // Written as it comes: a list of a million images is never held in memory.
            text = (count == 0 ? "[\n" : ",\n") + result.json.text(isIndented: false)
        case (.lines, .prediction(let prediction)): text = Self.lines(prediction) + "\n"
        case (.table, .prediction(let prediction)): text = Self.table(prediction) + "\n"
        case (_, .failure): return true
        }
        count += 1
        return try Results.write(text)
    }

    /// Writes what follows the last result.
    func finish() throws {
        guard form == .json else { return }
        try Results.print(count == 0 ? "[]" : "\n]")
    }

    private static func lines(_ prediction: ImagePrediction) -> String {
        prediction.predictions.map {
            [field(prediction.file), String(format: "%.4f", $0.score), field($0.label)]
                .joined(separator: "\t")
        }
        .joined(separator: "\n")
    }

    /// A name without the characters that would end its field or line.
    private static func field(_ name: String) -> String {
        TerminalText.field(name)
    }

    private static func table(_ prediction: ImagePrediction) -> String {
        let lines = prediction.predictions.map {
            let score = prediction.scoring.text($0.score)
            return "  " + String(repeating: " ", count: max(0, 8 - score.count)) + score + "  "
                + field($0.label)
        }
        let none =
            lines.isEmpty && prediction.neighbours.isEmpty
            ? ["  no class reaches its threshold"] : []
        let near = prediction.neighbours.prefix(3).map {
            String(format: "    %.3f  ", $0.similarity) + "\(field($0.label))  \(field($0.file))"
        }
        let heading = near.isEmpty ? [] : ["  nearest, by cosine:"]
        return ([field(prediction.file)] + lines + none + heading + near).joined(separator: "\n")
    }
}
