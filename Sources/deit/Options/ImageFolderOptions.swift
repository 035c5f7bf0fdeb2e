import ArgumentParser
import Datasets
import Evaluation
import ImagePipeline
import Inference

/// Images that are examined one by one, and the folder that is written.
struct ImageFolderOptions: ParsableArguments {
    @Argument(
        help: "Images: files, directories, or - for standard input.",
        completion: .file()
    )
    var images: [String] = []

    @Option(help: "Directory to write to.", completion: .directory)
    var output: String

    @Flag(help: "Write into a directory that is not empty; files of the same names are replaced.")
    var overwrite = false

    @Flag(help: "Print a JSON list of the files written.")
    var json = false

    func validate() throws {
        guard !output.isEmpty else { throw ValidationError("the path of --output is empty") }
        guard images.count(where: { $0 == "-" }) < 2 else {
            throw ValidationError("standard input holds one image, so - can be given once")
        }
    }

    /// The output directory, checked but not yet created.
    func folder() throws -> OutputFolder {
        try OutputFolder(output, roots: images, overwrites: overwrite)
    }

    /// The images in the order of the arguments; of a folder sorted by name, numbers by their size.
    func imageFiles() throws -> ImageFileList {
        guard !images.isEmpty else { throw ValidationError("give at least one image") }
        var list = try ImageFileList(paths: images)
        for folder in list.emptyFolders {
            StatusLine.note("\(folder) contains no images (jpg, jpeg, png or webp)")
        }
        guard list.count > 0 else {
            throw CommandFailure("there are no images", exitCode: CommandFailure.badData)
        }
        if images.contains("-") {
            list = list.replacing("-", by: try StandardInput.read(), named: "standard input")
        }
        return list
    }

    /// The frames of a film, in order: `frame-2` comes before `frame-10`.
    func frames() throws -> ImageFileList {
        let paths = try images.flatMap { path -> [String] in
            let found = try ImageFileList(paths: [path]).sources.compactMap { source -> String? in
                if case .file(let file) = source { file } else { nil }
            }
            return found == [path] ? found : FrameOrder.sorted(found)
        }
        let list = ImageFileList(paths.map(ImageFileList.Source.file))
        guard list.count > 0 else {
            throw CommandFailure("there are no frames", exitCode: CommandFailure.badData)
        }
        return list
    }
}
