public import ImagePipeline
import Torch

/// Writes what a model attends to in images: a folder for each, a sheet of it, and an overview of all.
///
/// Of an image `cat.jpg` the folder `cat` gets `image.png`, of every map `NAME.png` in colours, `NAME-overlay.png` over
/// the image and `NAME-mask.png`, further `features.png` and `sheet.png`.
public final class AttentionGallery {
    /// Number of images in a row of a sheet: all of a model with three heads.
    private static let tilesOfARow = 9
    private static let mostOverviewRows = 40
    private static let headsOfOverview = 3

    /// What was made of the images so far.
    public private(set) var entries: [AttentionEntry] = []

    private let viewer: ImageViewer
    private let drawing: AttentionDrawing
    private var folder: OutputFolder
    private var overview = TileSheet(side: 160)

    /// Creates a gallery.
    ///
    /// - Parameters:
    ///   - viewer: What looks at images.
    ///   - drawing: How maps become images.
    ///   - folder: Where to write.
    public init(_ viewer: ImageViewer, _ drawing: AttentionDrawing, in folder: OutputFolder) {
        self.viewer = viewer
        self.drawing = drawing
        self.folder = folder
    }

    /// Looks at an image and writes what was found.
    ///
    /// - Parameters:
    ///   - image: The image.
    ///   - file: Its file.
    /// - Returns: What was written.
    /// - Throws: ``EvaluationError`` when it would need too much memory, `ImageError` when it cannot be resized,
    ///   `CheckpointError` when the disk does not take the files.
    @ModelActor
    @discardableResult
    public func add(_ image: Image, file: String) throws -> AttentionEntry {
        let guess = try viewer.guess(of: image)
        let view = try viewer.look(at: image)
        let name = folder.name(for: file)
        var files: [(String, String)] = []
        func write(_ image: Image, _ kind: String) throws {
            let path = "\(name)/\(kind).png"
            try folder.write(image.encodedPNG(), to: path)
            files.append((kind, path))
        }
        var collector = AttentionScale.Collector(drawing)
        try collector.add(view.reading, isAlone: true)
        let scale = try collector.scale()
        try write(view.image, "image")
        let maps = try drawing.maps(of: view.reading).map { named in
            let drawn = try drawing.drawn(named, scale, on: view.image)
            try write(drawn.colored, named.name)
            try write(drawn.overlay, "\(named.name)-overlay")
            try write(drawn.mask, "\(named.name)-mask")
            return drawn
        }
        let features = try drawing.features(of: view.reading, scale, on: view.image)
        if let features { try write(features, "features") }
        try write(try sheet(view, guess, maps, features), "sheet")
        try addToOverview(view, guess, maps, features, name)
        let entry = AttentionEntry(
            file: file,
            height: view.height,
            width: view.width,
            grid: view.reading.grid,
            isShrunk: view.isShrunk,
            guess: guess,
            files: files
        )
        entries.append(entry)
        return entry
    }

    /// Writes the overview of all images, as an image and as a page.
    ///
    /// - Parameter model: What the model is called.
    /// - Returns: The files, relative to the folder; none where there were no images.
    /// - Throws: `CheckpointError` when the disk does not take the files.
    public func finish(model: String) throws -> [String] {
        guard !entries.isEmpty else { return [] }
        try folder.write(overview.drawn().encodedPNG(), to: "overview.png")
        let page = AttentionPage(
            model: model,
            block: viewer.reader.block,
            threshold: drawing.threshold,
            entries: entries
        )
        try folder.write(page.html.utf8, to: "index.html")
        return ["overview.png", "index.html"]
    }

    private func sheet(
        _ view: ImageViewer.View,
        _ guess: ImageViewer.Guess?,
        _ maps: [AttentionDrawing.Drawn],
        _ features: Image?
    ) throws -> Image {
        var sheet = TileSheet(side: 240)
        var tiles = [TileSheet.Tile(image: view.image, caption: caption(guess, "image"))]
        if let features { tiles.append(.init(image: features, caption: "features, PCA")) }
        var token = maps.first.map { tokenName($0) } ?? ""
        for drawn in maps {
            if tokenName(drawn) != token || tiles.count == Self.tilesOfARow {
                token = tokenName(drawn)
                try sheet.add(tiles)
                tiles = []
            }
            tiles.append(.init(image: drawn.overlay, caption: drawn.named.caption))
            if drawn.named.part != .heads, tiles.count < Self.tilesOfARow {
                let share = Int((drawing.threshold * 100).rounded())
                tiles.append(
                    .init(image: drawn.cutout, caption: "\(share)% of \(drawn.named.caption)")
                )
            }
        }
        try sheet.add(tiles)
        return try sheet.drawn()
    }

    private func tokenName(_ drawn: AttentionDrawing.Drawn) -> String {
        String(drawn.named.name.prefix { $0 != "-" })
    }

    private func caption(_ guess: ImageViewer.Guess?, _ name: String) -> String {
        guess?.text ?? name
    }

    private func addToOverview(
        _ view: ImageViewer.View,
        _ guess: ImageViewer.Guess?,
        _ maps: [AttentionDrawing.Drawn],
        _ features: Image?,
        _ name: String
    ) throws {
        guard entries.count < Self.mostOverviewRows else { return }
        var tiles = [TileSheet.Tile(image: view.image, caption: caption(guess, name))]
        if let features { tiles.append(.init(image: features, caption: "features")) }
        let share = Int((drawing.threshold * 100).rounded())
        for (place, drawn) in maps.enumerated() where drawn.named.part != .heads {
            tiles.append(.init(image: drawn.overlay, caption: drawn.named.caption))
            guard place == 0 else { continue }
            tiles.append(.init(image: drawn.cutout, caption: "\(share)% of its attention"))
        }
        let heads = maps.filter { $0.named.part == .heads }.prefix(Self.headsOfOverview)
        for drawn in heads {
            tiles.append(.init(image: drawn.overlay, caption: drawn.named.caption))
        }
        try overview.add(tiles)
    }
}
