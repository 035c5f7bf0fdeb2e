public import Storage
public import VisionModels

/// What was made of one image.
public struct AttentionEntry: Sendable {
    /// The image's file.
    public let file: String

    /// The rows and columns that the model saw.
    public let height: Int

    /// The columns that the model saw.
    public let width: Int

    /// The patches, down and across.
    public let grid: PatchGrid

    /// Whether memory made it smaller than its own size.
    public let isShrunk: Bool

    /// What the model takes it for, as `deit classify` says; nil where it has no classifier.
    public let guess: ImageViewer.Guess?

    /// The files written, by what they show, relative to the folder.
    public let files: [(name: String, path: String)]

    /// The entry as a JSON object.
    public var json: JSONValue {
        var object: JSONObject = [
            "file": .string(file), "height": .integer(height), "width": .integer(width),
            "grid": .array([.integer(grid.height), .integer(grid.width)]),
        ]
        if let guess {
            object["prediction"] = [
                "label": .string(guess.label), "score": .number(guess.score),
            ]
        }
        var names = JSONObject()
        for (name, path) in files { names[name] = .string(path) }
        object["files"] = .object(names)
        return .object(object)
    }
}
