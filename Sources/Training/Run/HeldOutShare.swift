import Checkpoints
public import Datasets
import Foundation
import ImagePipeline
import Storage

/// Which images a run held out of its own data, so that later evaluations of its model use those.
///
/// It is stored as `held_out.json` in every checkpoint of the run, and in model directories and indices made from one.
/// The data is recognised by the fingerprint of the images that the run learned from, never by its path: it may have
/// been moved, or be spelled from another folder.
public struct HeldOutShare: Codable, Sendable, Equatable {
    /// The file's name in a model directory.
    public static let fileName = "held_out.json"

    /// The share of each class that is held out, above 0 and below 1.
    public let fraction: Double
    /// The seed of the draw.
    public let seed: Int
    /// How many of the others the run learned from; nil for all.
    public let trainLimit: Int?
    /// The run's `multi_label`; nil for off.
    public let multiLabel: Bool?
    /// The run's `label_separator`; nil for the usual one.
    public let labelSeparator: String?
    /// The fingerprint of the images that it learned from.
    public let fingerprint: String
    /// Whether a share was held out for certain: of runs of earlier versions it is only known once the data is seen.
    public let isCertain: Bool

    /// The share of a run; nil where its data has a validation part.
    init?(of plan: RunPlan) {
        guard plan.holdsOut, let fingerprint = plan.fingerprint else { return nil }
        self.init(plan.options, fingerprint, isCertain: true)
    }

    /// The share of a run by its manifest; nil where its data has a validation part.
    init?(of manifest: RunManifest) {
        guard manifest.holdsOut != false, let fingerprint = manifest.fingerprint else { return nil }
        self.init(manifest.options, fingerprint, isCertain: manifest.holdsOut ?? false)
    }

    private init?(_ options: TrainingOptions, _ fingerprint: String, isCertain: Bool) {
        guard let fraction = options.valFraction else { return nil }
        self.fraction = fraction
        seed = options.seed
        trainLimit = options.trainLimit
        multiLabel = options.multiLabel ? true : nil
        let separator = options.labelSeparator
        labelSeparator = separator == LabelFormat.usualSeparator ? nil : separator
        self.fingerprint = fingerprint
        self.isCertain = isCertain
    }

    /// Finds the share of a checkpoint: of a run, its checkpoints, one of them, a file in one, a model directory, an index.
    ///
    /// - Parameter checkpoint: The path of the checkpoint.
    /// - Returns: The share; nil where the checkpoint's training held none out, or nothing is known.
    public static func find(for checkpoint: String) -> HeldOutShare? {
        // A name on the hub is no path.
        guard FileManager.default.fileExists(atPath: checkpoint) else { return nil }
        let start = URL(filePath: checkpoint).resolvingSymlinksInPath().standardizedFileURL
        let index = start.appending(path: "model/\(fileName)")
        if let share = read(index) { return share }
        // From a file of weights up to its checkpoint, the folder of checkpoints and the run.
        var folder = start
        for _ in 0..<4 {
            if let share = read(folder.appending(path: fileName)) { return share }
            let run = folder.appending(path: "run.yaml").path
            if FileManager.default.fileExists(atPath: run) {
                return (try? RunManifest.read(run)).flatMap(HeldOutShare.init(of:))
            }
            guard folder.path != "/" else { return nil }
            folder.deleteLastPathComponent()
        }
        return nil
    }

    private static func read(_ file: URL) -> HeldOutShare? {
        guard let data = try? Data(contentsOf: file) else { return nil }
        return try? JSONDecoder().decode(HeldOutShare.self, from: data)
    }

    /// Writes the share into a model directory.
    ///
    /// - Parameter folder: The directory.
    /// - Throws: `CheckpointError` when it cannot be written.
    public func write(to folder: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try AtomicFile.write(try encoder.encode(self), to: "\(folder)/\(Self.fileName)")
    }

    /// Opens both parts of the run's data.
    ///
    /// - Parameter path: Where the data is now.
    /// - Returns: The images that the run did not hold out, and those that it did; nil where this is not its data.
    /// - Throws: `DatasetError` for a path without data.
    public func parts(
        of path: String
    ) throws -> (train: any ImageDataset, validation: any ImageDataset)? {
        try opened(path).map { ($0.parts.train, $0.parts.validation) }
    }

    private func opened(
        _ path: String
    ) throws -> (
        parts: (train: any ImageDataset, validation: any ImageDataset), learned: any ImageDataset
    )? {
        guard fraction > 0, fraction < 1 else { return nil }
        let seed = UInt64(bitPattern: Int64(seed))
        let location = try DatasetLocation(
            path: path,
            valFraction: fraction,
            seed: seed,
            labels: LabelFormat(
                isMultiLabel: multiLabel ?? false,
                separator: labelSeparator ?? LabelFormat.usualSeparator
            )
        )
        // Data that the share leaves nothing of is not the run's; what else is wrong with it shows when it is opened.
        guard let parts = try? location.openHeldOut(),
            let learned = try? location.limited(
                parts.train,
                trainLimit.map { .stratified($0, seed: seed) }
            ),
            learned.hasFingerprint(fingerprint)
        else { return nil }
        return (parts, learned)
    }

    /// What to say where a new run would validate on images that its starting weights have learned from.
    ///
    /// It happens where both runs hold a share of the same data out by other seeds or of another size; the accuracy would
    /// then be too high.
    ///
    /// - Parameters:
    ///   - checkpoint: The weights that the new run starts with.
    ///   - data: The new run's images.
    ///   - path: Where they lie.
    /// - Returns: A warning; nil where no image is in both.
    static func warning(
        startingWith checkpoint: String,
        _ data: RunData,
        at path: String
    ) -> String? {
        guard data.holdsOut, let share = find(for: checkpoint),
            let learned = try? share.opened(path)?.learned
        else { return nil }
        let names = Set((0..<learned.count).map(learned.name(at:)))
        let count = data.validation.count
        let seen = (0..<count).count { names.contains(data.validation.name(at: $0)) }
        guard seen > 0 else { return nil }
        return
            "warning: \(seen) of the \(counted(count, "validation image")) were training images of \(checkpoint), so "
            + "the accuracy will be too high: add --seed \(share.seed) --val-fraction \(share.fraction) to hold out the "
            + "images that it was not trained on"
    }
}
