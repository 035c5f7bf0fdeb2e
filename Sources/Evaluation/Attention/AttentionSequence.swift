public import ImagePipeline
import Torch

/// Writes what a model attends to in the frames of a film, with the same colours in all of them.
///
/// The frames are read twice: first all numbers are gathered that decide on colours, the directions of features among
/// them, then every frame is drawn. Each kind of image has a folder of its own with `000001.png` and so on, as programs
/// that make films of images want them.
public final class AttentionSequence {
    /// What was made of the frames so far.
    public private(set) var entries: [AttentionEntry] = []

    private let viewer: ImageViewer
    private let drawing: AttentionDrawing
    private var folder: OutputFolder
    private var collector: AttentionScale.Collector
    private var scale: AttentionScale?
    private var sheet = TileSheet(side: 160)

    private static let framesOfOverview = 12

    /// Creates a sequence.
    ///
    /// - Parameters:
    ///   - viewer: What looks at frames.
    ///   - drawing: How maps become images.
    ///   - folder: Where to write.
    public init(_ viewer: ImageViewer, _ drawing: AttentionDrawing, in folder: OutputFolder) {
        self.viewer = viewer
        self.drawing = drawing
        self.folder = folder
        collector = AttentionScale.Collector(drawing)
    }

    /// Looks at a frame for the first time.
    ///
    /// - Parameter image: The frame.
    /// - Throws: As ``draw(_:file:of:)`` does.
    public func gather(_ image: Image) throws {
        try collector.add(viewer.look(at: image).reading)
    }

    /// Draws a frame, once all are gathered.
    ///
    /// - Parameters:
    ///   - image: The frame.
    ///   - file: Its file.
    ///   - count: How many frames there are.
    /// - Throws: ``EvaluationError`` when it would need too much memory, `ImageError` when it cannot be resized,
    ///   `CheckpointError` when the disk does not take the files.
    @ModelActor
    public func draw(_ image: Image, file: String, of count: Int) throws {
        let shared = try scale ?? collector.scale()
        scale = shared
        let view = try viewer.look(at: image)
        let number = String(entries.count + 1)
        let name = String(repeating: "0", count: max(0, 6 - number.count)) + number + ".png"
        var files: [(String, String)] = []
        func write(_ image: Image, _ kind: String) throws {
            try folder.write(image.encodedPNG(), to: "\(kind)/\(name)")
            files.append((kind, "\(kind)/\(name)"))
        }
        try write(view.image, "image")
        var tiles = [TileSheet.Tile(image: view.image, caption: "frame \(number)")]
        for named in drawing.maps(of: view.reading) {
            let drawn = try drawing.drawn(named, shared, on: view.image)
            try write(drawn.colored, named.name)
            try write(drawn.overlay, "\(named.name)-overlay")
            try write(drawn.mask, "\(named.name)-mask")
            if named.part != .heads {
                tiles.append(.init(image: drawn.overlay, caption: named.caption))
            }
        }
        if let features = try drawing.features(of: view.reading, shared, on: view.image) {
            try write(features, "features")
            tiles.append(.init(image: features, caption: "features"))
        }
        let step = max(1, count / Self.framesOfOverview)
        if entries.count % step == 0 { try sheet.add(tiles) }
        entries.append(
            AttentionEntry(
                file: file,
                height: view.height,
                width: view.width,
                grid: view.reading.grid,
                isShrunk: view.isShrunk,
                guess: try viewer.guess(of: image),
                files: files
            )
        )
    }

    /// Writes an overview of some of the frames, and a page that plays all.
    ///
    /// - Parameter model: What the model is called.
    /// - Returns: The files, relative to the folder; none where there were no frames.
    /// - Throws: `CheckpointError` when the disk does not take the files.
    public func finish(model: String) throws -> [String] {
        guard !entries.isEmpty else { return [] }
        try folder.write(sheet.drawn().encodedPNG(), to: "overview.png")
        let page = FilmPage(model: model, entries: entries)
        try folder.write(page.html.utf8, to: "index.html")
        return ["overview.png", "index.html"]
    }
}
