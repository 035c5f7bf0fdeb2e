import ArgumentParser
import Checkpoints
import Evaluation
import VisionModels

/// `deit models`: what can be made by name.
struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "List the models that can be made by name.",
        discussion: """
            Example:
              deit models --json

            Parameters are those of the preset as it is; the number of classes, channels
            and the size of the pictures follow the data when a model is trained.
            """
    )

    @Flag(help: "Print a JSON list.")
    var json = false

    func run() throws {
        let presets = ModelRegistry.presets
        if json {
            try Results.print(JSONValue.array(presets.map(Self.json)).text())
            return
        }
        let width = presets.map(\.name.count).max() ?? 0
        var lines = [Self.row("model", "parameters", "pictures", "classes", width: width)]
        for preset in presets {
            let configuration = preset.configuration
            let (height, wide) = configuration.imageSize
            lines.append(
                Self.row(
                    preset.name,
                    Self.grouped(configuration.parameterCount),
                    "\(configuration.inChannels)×\(height)×\(wide)",
                    "\(configuration.numClasses)",
                    width: width
                )
            )
        }
        try Results.print(lines.joined(separator: "\n"))
    }

    private static func json(_ preset: ModelRegistry.Preset) -> JSONValue {
        let configuration = preset.configuration
        let (height, width) = configuration.imageSize
        return [
            "name": .string(preset.name),
            "parameters": .integer(configuration.parameterCount),
            "input": [.integer(configuration.inChannels), .integer(height), .integer(width)],
            "classes": .integer(configuration.numClasses),
            "distilled": .bool(configuration.isDistilled),
        ]
    }

    private static func row(
        _ name: String,
        _ parameters: String,
        _ pictures: String,
        _ classes: String,
        width: Int
    ) -> String {
        pad(name, width, toLeft: false) + pad(parameters, 13) + pad(pictures, 12) + pad(classes, 9)
    }

    private static func pad(_ text: String, _ width: Int, toLeft: Bool = true) -> String {
        let space = String(repeating: " ", count: max(0, width - text.count))
        return toLeft ? space + text : text + space
    }

    /// A number with a comma before every three digits.
    private static func grouped(_ number: Int) -> String {
        var text = ""
        for (index, digit) in String(number).reversed().enumerated() {
            if index > 0, index % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }
}
