import Foundation
public import ImagePipeline
public import Storage

/// Writes the masks of a film's frames: a PNG for each, and a sheet of some.
public final class FilmFolder {
    /// The mask of one frame.
    public struct Entry: Sendable {
        /// The frame's file.
        public let file: String

        /// The mask's file, relative to the folder.
        public let mask: String

        /// The mean overlap of the objects with the right mask, 0 to 1; nil where there is none.
        public let overlap: Double?
    }

    /// The frames so far, the first one among them.
    public private(set) var entries: [Entry] = []

    private var film: FilmLabels
    private let first: LabelMask
    private var folder: OutputFolder
    private let truth: String?
    private var sheet = TileSheet(side: 200)
    private var row: [TileSheet.Tile] = []

    private static let framesOfASheet = 12
    private static let framesOfARow = 4

    /// Creates a writer.
    ///
    /// - Parameters:
    ///   - film: What labels frames.
    ///   - first: The mask of the first frame.
    ///   - folder: Where to write.
    ///   - truth: A folder of right masks with the frames' names, if there is one.
    public init(
        _ film: FilmLabels,
        _ first: LabelMask,
        in folder: OutputFolder,
        truth: String? = nil
    ) {
        self.film = film
        self.first = first
        self.folder = folder
        self.truth = truth
    }

    /// Labels a frame and writes its mask; of the first frame the mask that was given.
    ///
    /// - Parameters:
    ///   - frame: The frame.
    ///   - file: Its file.
    ///   - count: How many frames there are.
    /// - Throws: ``EvaluationError/invalid(_:)`` for a frame or a right mask of another size, `CheckpointError` when the
    ///   disk does not take the mask.
    public func add(_ frame: Image, file: String, of count: Int) throws {
        let mask = entries.isEmpty ? first : try film.next(frame)
        let name = folder.name(for: file)
        let overlap = try overlap(mask, name)
        try folder.write(mask.image().encodedPNG(), to: "\(name).png")
        let step = max(1, (count + Self.framesOfASheet - 1) / Self.framesOfASheet)
        if entries.count % step == 0 {
            let note = overlap.map { ", J \(Int(($0 * 100).rounded()))%" } ?? ""
            row += [
                .init(image: frame, caption: "frame \(entries.count + 1)"),
                .init(image: try mask.overlay(on: frame), caption: "labels\(note)"),
            ]
            if row.count == 2 * Self.framesOfARow { try flush() }
        }
        entries.append(Entry(file: file, mask: "\(name).png", overlap: overlap))
    }

    /// Writes the sheet.
    ///
    /// - Returns: Its file, relative to the folder.
    /// - Throws: `CheckpointError` when the disk does not take it.
    public func finish() throws -> [String] {
        if !row.isEmpty { try flush() }
        guard !sheet.rows.isEmpty else { return [] }
        try folder.write(sheet.drawn().encodedPNG(), to: "sheet.png")
        return ["sheet.png"]
    }

    /// The mean overlap of the frames after the first that have a right mask; nil where none has.
    public var meanOverlap: Double? {
        let overlaps = entries.dropFirst().compactMap(\.overlap)
        return overlaps.isEmpty ? nil : overlaps.reduce(0, +) / Double(overlaps.count)
    }

    /// What was written, as a JSON object.
    ///
    /// - Parameter overview: What ``finish()`` returned.
    /// - Returns: The object.
    public func json(_ overview: [String]) -> JSONValue {
        let frames = entries.map { entry -> JSONValue in
            var object: JSONObject = ["file": .string(entry.file), "mask": .string(entry.mask)]
            object["overlap"] = entry.overlap.map(JSONValue.number)
            return .object(object)
        }
        var object: JSONObject = [
            "output": .string(folder.path), "labels": .integer(first.labelCount),
            "frames": .array(frames), "overview": .array(overview.map(JSONValue.string)),
        ]
        object["meanOverlap"] = meanOverlap.map(JSONValue.number)
        return .object(object)
    }

    private func flush() throws {
        try sheet.add(row)
        row = []
    }

    private func overlap(_ mask: LabelMask, _ name: String) throws -> Double? {
        guard let truth else { return nil }
        let path = "\(truth)/\(name).png"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let right = try mask.reading(Image(contentsOf: path))
        let overlaps = try mask.overlap(with: right)
        let objects = overlaps.dropFirst(mask.hasBackground ? 1 : 0).compactMap { $0 }
        // A frame in which no object is, and none was found, is right.
        return objects.isEmpty ? 1 : objects.reduce(0, +) / Double(objects.count)
    }
}
