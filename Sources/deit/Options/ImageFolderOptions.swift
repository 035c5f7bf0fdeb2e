import ArgumentParser
import Datasets
import Evaluation
import ImagePipeline

/// Pictures that are looked at one by one, and the folder that is written.
struct PictureFolderOptions: ParsableArguments {
    @Argument(
        help: "The pictures: files, folders, or - for standard input.",
        completion: .file()
    )
    var images: [String] = []

    @Option(help: "The folder to write to.", completion: .directory)
    var output: String

    @Flag(help: "Write into a folder that has files already; those of the same names are replaced.")
    var overwrite = false

    @Flag(help: "Print what was written as JSON.")
    var json = false

    func validate() throws {
        guard !output.isEmpty else { throw ValidationError("the path of --output is empty") }
        guard images.count(where: { $0 == "-" }) < 2 else {
            throw ValidationError("standard input holds one picture, so - can be named once")
        }
    }

    /// The folder, looked at but not yet made.
    func folder() throws -> OutputFolder {
        try OutputFolder(output, roots: images, overwrites: overwrite)
    }

    /// The pictures in the order of the arguments; of a folder sorted by name, numbers by their size.
    func pictures() throws -> PictureList {
        guard !images.isEmpty else { throw ValidationError("name at least one picture") }
        var list = try PictureList(paths: images)
        for folder in list.emptyFolders {
            StatusLine.note("\(folder) holds no pictures (jpg, jpeg, png or webp)")
        }
        guard list.count > 0 else {
            throw CommandFailure("there are no pictures", exitCode: CommandFailure.badData)
        }
        if images.contains("-") {
            list = list.replacing("-", by: try StandardInput.read(), named: "standard input")
        }
        return list
    }

    /// The frames of a film, in order: `frame-2` comes before `frame-10`.
    func frames() throws -> PictureList {
        let paths = try images.flatMap { path -> [String] in
            let found = try PictureList(paths: [path]).sources.compactMap { source -> String? in
                if case .file(let file) = source { file } else { nil }
            }
            return found == [path] ? found : FrameOrder.sorted(found)
        }
        let list = PictureList(paths.map(PictureList.Source.file))
        guard list.count > 0 else {
            throw CommandFailure("there are no frames", exitCode: CommandFailure.badData)
        }
        return list
    }
}
