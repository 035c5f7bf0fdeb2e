import Foundation
public import TorchNN
import Yams

/// What `run.yaml` says of a run: the options in effect, versions, how it computes, what it reads.
///
/// A resumed run takes its options and its kernels from here: another kernel or thread count would round
/// differently, and the run would no longer equal one that never stopped.
public struct RunManifest: Sendable, Equatable {
    /// The version of `deit`.
    public var toolVersion: String
    /// The version of libtorch.
    public var libtorchVersion: String
    /// When the run was started, in ISO 8601.
    public var started: String
    /// The recipe's name or path.
    public var recipe: String
    /// The options in effect.
    public var options: TrainingOptions
    /// The kernels of linear layers, of attention and of what is done to single elements, and how networks that are only
    /// asked, and blocks that learn, compute.
    public var kernels:
        (
            linear: ComputePolicy.Kernel, attention: ComputePolicy.Kernel,
            pointwise: ComputePolicy.Pointwise, encoder: ComputePolicy.Encoder,
            blocks: ComputePolicy.Encoder
        )
    /// The number format, never `auto`.
    public var dtype: Precision
    /// The threads that compute.
    public var threads: Int
    /// The numbers of training and validation images.
    public var counts: (train: Int, validation: Int)
    /// The names of the classes, by label.
    public var classNames: [String]
    /// What the names, the order and the labels of the training images come to; nil in files of earlier versions.
    public var fingerprint: String?
    /// The keys of weights that were fresh when the run began and take the full rate under a layer decay.
    public var freshWeights: [String] = []
    /// The absolute path of the data; nil in files of earlier versions.
    public var dataPath: String?
    /// Whether the validation images are a share of the data that the run held out itself; nil in files of earlier versions.
    public var holdsOut: Bool?
    /// How much the images of each class count in the loss; nil where all count alike.
    public var classWeights: [Double]?
    /// Of images with several labels: the weight of each class in images that have it, as the run began.
    public var posWeights: [Double]?
    /// What followed from all this, for the reader.
    public var facts: [(name: String, value: String)]

    /// The version of the file's form; the first had no such number.
    ///
    /// Since the third, `sgd` is Nesterov's, and a moving average has a warm-up only where it says so.
    static let format = 3

    /// The file's text.
    public func yaml() throws -> String {
        let sections: [(String, Node)] = [
            ("format", Self.plain("\(Self.format)")), ("deit", Self.text(toolVersion)),
            ("libtorch", Self.text(libtorchVersion)),
            ("started", Self.text(started)), ("recipe", Self.text(recipe)),
            (
                "options",
                Self.mapping(
                    Settings.of(options.method).map { ($0.key, Self.plain($0.text(in: options))) }
                )
            ),
            (
                "compute",
                Self.mapping([
                    ("dtype", Self.plain(dtype.rawValue)),
                    ("linear", Self.plain(kernels.linear.rawValue)),
                    ("attention", Self.plain(kernels.attention.rawValue)),
                    ("pointwise", Self.plain(kernels.pointwise.rawValue)),
                    ("encoder", Self.plain(kernels.encoder.rawValue)),
                    ("blocks", Self.plain(kernels.blocks.rawValue)),
                    ("threads", Self.plain("\(threads)")),
                ])
            ),
            (
                "data",
                Self.mapping(
                    [
                        ("train", Self.plain("\(counts.train)")),
                        ("val", Self.plain("\(counts.validation)")),
                        ("classes", Node(classNames.map(Self.text))),
                    ]
                        + (fingerprint.map { [("fingerprint", Self.text($0))] } ?? [])
                        + (holdsOut.map { [("held_out", Self.plain("\($0)"))] } ?? [])
                        + (dataPath.map { [("path", Self.text($0))] } ?? [])
                        + (classWeights.map { weights in
                            [("class_weights", Node(weights.map { Self.plain("\($0)") }))]
                        } ?? [])
                        + (posWeights.map { weights in
                            [("pos_weights", Node(weights.map { Self.plain("\($0)") }))]
                        } ?? [])
                )
            ),
            ("fresh", Node(freshWeights.map(Self.text))),
            ("effective", Self.mapping(facts.map { ($0.name, Self.text($0.value)) })),
        ]
        let heading =
            "# Written by `\(options.method.command)`; `--resume` reads it. "
            + "`options` can be used as a recipe.\n"
        return try heading
            + Yams.serialize(node: Self.mapping(sections), width: -1, allowUnicode: true)
    }

    /// Reads a run's file.
    ///
    /// - Parameter path: The path of `run.yaml`.
    /// - Returns: What it says.
    /// - Throws: ``RunError`` or ``OptionError`` where it is missing or damaged.
    public static func read(_ path: String) throws -> RunManifest {
        let root: Node?
        do {
            root = try Yams.compose(yaml: String(contentsOfFile: path, encoding: .utf8))
        } catch {
            throw RunError.unreadable(path: path, reason: "it is missing or not YAML")
        }
        guard let root, let stored = root["options"]?.mapping, let compute = root["compute"],
            let linear = compute["linear"]?.string.flatMap(ComputePolicy.Kernel.init),
            let attention = compute["attention"]?.string.flatMap(ComputePolicy.Kernel.init),
            let dtype = compute["dtype"]?.string.flatMap(Precision.init),
            let threads = compute["threads"]?.int,
            let data = root["data"], let train = data["train"]?.int, let val = data["val"]?.int
        else {
            throw RunError.unreadable(path: path, reason: "it is not a run.yaml, or it is damaged")
        }
        // Runs of earlier versions had libtorch's only.
        let pointwise =
            compute["pointwise"]?.string.flatMap(ComputePolicy.Pointwise.init) ?? .libtorch
        let encoder = compute["encoder"]?.string.flatMap(ComputePolicy.Encoder.init) ?? .layers
        let blocks = compute["blocks"]?.string.flatMap(ComputePolicy.Encoder.init) ?? .layers
        // A file of an earlier version says nothing of options that came later, and those defaults would change the run.
        let format = root["format"]?.int ?? 1
        let method = stored["method"]?.string.flatMap(TrainingMethod.init) ?? .supervised
        var options =
            format < 2 ? TrainingOptions.beforeAugmentation : TrainingOptions.defaults(of: method)
        if format < 3 { options.emaWarmup = .tensorflow }
        // Runs of versions without this option saw images as they are stored.
        options.exifOrientation = false
        try options.apply(Recipe.values(of: stored, source: path), source: path)
        if format < 3, options.optimizer == .sgd { options.optimizer = .momentum }
        return RunManifest(
            toolVersion: root["deit"]?.string ?? "",
            libtorchVersion: root["libtorch"]?.string ?? "",
            started: root["started"]?.string ?? "",
            recipe: root["recipe"]?.string ?? "",
            options: options,
            kernels: (linear, attention, pointwise, encoder, blocks),
            dtype: dtype,
            threads: threads,
            counts: (train, val),
            classNames: data["classes"]?.array().compactMap(\.string) ?? [],
            fingerprint: data["fingerprint"]?.string,
            freshWeights: root["fresh"]?.array().compactMap(\.string) ?? [],
            dataPath: data["path"]?.string,
            holdsOut: data["held_out"]?.bool,
            classWeights: data["class_weights"]?.array().compactMap(\.float),
            posWeights: data["pos_weights"]?.array().compactMap(\.float),
            facts: []
        )
    }

    /// The options of a resumed run: the stored ones, with those flags that change no result.
    ///
    /// - Parameter given: The options and texts that the command line gave.
    /// - Returns: The options.
    /// - Throws: ``OptionError`` for a flag that would change the result.
    public func resumedOptions(
        _ given: [(key: String, text: String)]
    ) throws(OptionError) -> TrainingOptions {
        var resumed = options
        for (key, text) in given {
            guard let setting = Settings.named(key) else {
                throw .unknownKey(key, source: "the command line")
            }
            var changed = resumed
            try changed.set(key, to: text, source: "the command line")
            guard changed != resumed else { continue }
            guard Self.isFree(setting) else {
                // The schedule of the learning rate reaches its end with the last epoch.
                let further =
                    setting.key == Settings.declared.epochs.key
                    ? " and --finetune RUN" : ""
                throw .conflict(
                    "options of a resumed run cannot change: \(setting.key) is \(setting.text(in: options)) in run.yaml and "
                        + "\(text) on the command line; leave \(setting.flag) out, or start a new run with another "
                        + "--output\(further)"
                )
            }
            resumed = changed
        }
        return resumed
    }

    /// Whether a setting changes only how fast a run goes, what it keeps, or where the same things lie.
    private static func isFree(_ setting: any AnySetting) -> Bool {
        setting.namesPlace || setting.effect == .files || setting.effect == .nothing
    }

    /// Whether two manifests say the same.
    public static func == (first: RunManifest, second: RunManifest) -> Bool {
        first.toolVersion == second.toolVersion && first.libtorchVersion == second.libtorchVersion
            && first.started == second.started && first.recipe == second.recipe
            && first.options == second.options && first.kernels == second.kernels
            && first.dtype == second.dtype
            && first.threads == second.threads && first.counts == second.counts
            && first.classNames == second.classNames && first.fingerprint == second.fingerprint
            && first.freshWeights == second.freshWeights
            && first.dataPath == second.dataPath && first.holdsOut == second.holdsOut
            && first.classWeights == second.classWeights
            && first.posWeights == second.posWeights
    }

    private static func mapping(_ pairs: [(String, Node)]) -> Node {
        Node(pairs.map { (Node($0.0), $0.1) })
    }

    private static func plain(_ value: String) -> Node {
        Node(value, Tag(.implicit), value.isEmpty ? .doubleQuoted : .any)
    }

    private static func text(_ value: String) -> Node {
        Node(value, Tag(.implicit), .doubleQuoted)
    }
}
