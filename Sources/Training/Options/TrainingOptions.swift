import Storage

/// The values of all options of a training run: `options.lr`, `options.epochs`, and so on for each of ``Settings``.
///
/// The defaults are those of facebookresearch/deit `main.py`, and names that are timm's mean what they mean there. A recipe
/// overrides the defaults, flags override the recipe.
@dynamicMemberLookup
public struct TrainingOptions: Sendable {
    /// Keeps the type of a value.
    private struct Held<Value: Sendable>: Sendable {
        let value: Value
    }

    /// The values that were set; all others are the defaults.
    private var held: [String: any Sendable] = [:]

    /// The defaults.
    public init() {}

    /// The defaults of a method: DeiT's `main.py`, DINO's `main_dino.py`, or SimMIM's small configurations.
    ///
    /// - Parameter method: What the run learns from.
    /// - Returns: The options.
    public static func defaults(of method: TrainingMethod) -> TrainingOptions {
        var options = TrainingOptions()
        for setting in Settings.all { setting.reset(&options, to: method) }
        return options
    }

    /// The value of a setting by the name of its property in ``Settings``.
    public subscript<Value>(dynamicMember path: KeyPath<Settings, Setting<Value>>) -> Value {
        get { self[Settings.declared[keyPath: path]] }
        set { self[Settings.declared[keyPath: path]] = newValue }
    }

    /// The value of a setting.
    public subscript<Value>(setting: Setting<Value>) -> Value {
        get {
            (held[setting.key] as? Held<Value>)?.value ?? setting.standard(of: .supervised)
        }
        set { held[setting.key] = Held(value: newValue) }
    }
}

extension TrainingOptions: Equatable {
    /// Whether all values are the same.
    public static func == (first: TrainingOptions, second: TrainingOptions) -> Bool {
        Settings.all.allSatisfy { $0.isEqual(first, second) }
    }
}

extension TrainingOptions: Codable {
    /// Reads the values from under the settings' keys; an absent one is the default.
    public init(from decoder: any Decoder) throws {
        self.init()
        let container = try decoder.container(keyedBy: SettingKey.self)
        for setting in Settings.all where container.contains(SettingKey(setting.key)) {
            try setting.decode(&self, from: container)
        }
    }

    /// Writes the values under the settings' keys.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: SettingKey.self)
        for setting in Settings.all { try setting.encode(self, to: &container) }
    }
}

// MARK: - Text

extension TrainingOptions {
    /// Sets one option from its text.
    ///
    /// - Parameters:
    ///   - name: `weight_decay` or `weight-decay`.
    ///   - text: The value as in a recipe or after a flag.
    ///   - source: Its source, for the error: `the recipe quickstart`, `the command line`.
    /// - Throws: ``OptionError`` for an unknown name or a value that the option does not take.
    public mutating func set(_ name: String, to text: String, source: String) throws(OptionError) {
        guard let setting = Settings.named(name) else { throw .unknownKey(name, source: source) }
        guard setting.read(text, into: &self) else {
            let hint = Suggestion.phrase(for: text, among: setting.choices)
            throw .badValue(
                text,
                key: setting.key,
                expected: setting.expected + hint,
                source: source
            )
        }
    }

    /// Sets several options from their texts, in their order.
    ///
    /// - Parameters:
    ///   - values: The options.
    ///   - source: Their source, for the error.
    /// - Throws: ``OptionError`` as ``set(_:to:source:)``.
    public mutating func apply(_ values: [Recipe.Value], source: String) throws(OptionError) {
        for value in values { try set(value.key, to: value.text, source: source) }
    }

    /// Takes over every option that a recipe names.
    public mutating func apply(_ recipe: Recipe) throws(OptionError) {
        try apply(recipe.values, source: "the recipe \(recipe.name)")
    }
}

// MARK: - Derived values

extension TrainingOptions {
    /// The batch that the learning rate is given for: 512, in DINO 256.
    public var lrReferenceBatch: Int { self.method == .dino ? 256 : 512 }

    /// The factor between the given and the effective learning rate: `batch / 512` (DINO: 256), or 1.
    public var lrFactor: Double {
        self.lrScaling ? Double(self.batch) / Double(lrReferenceBatch) : 1
    }

    /// Whether the momentum of SGD looks ahead: timm's `sgd`, but not that of DINO's `main_dino.py`.
    var usesNesterov: Bool { self.optimizer == .sgd && self.method != .dino }

    /// The learning rate after scaling, that the warm-up climbs to.
    public var effectiveLR: Double { self.lr * lrFactor }

    /// The value of ``Settings/model`` that means the model of the checkpoint that training starts from.
    public static let modelOfCheckpoint = "checkpoint"

    /// The value of ``Settings/batch`` that leaves it to the device's memory: `auto`.
    static let automaticBatch = 0

    /// Whether images are mixed.
    public var mixes: Bool {
        (self.mixup > 0 || self.cutmix > 0 || self.cutmixMinmax != nil) && self.mixupProb > 0
    }

    /// What runs trained with whose `run.yaml` is older than augmentation: they are to go on as they began.
    static let beforeAugmentation: TrainingOptions = {
        var options = TrainingOptions()
        options.aa = nil
        options.colorJitter = 0
        options.reprob = 0
        options.mixup = 0
        options.cutmix = 0
        options.repeatedAug = nil
        options.valFraction = nil
        options.schedOnUpdates = true
        options.tensorboard = false
        options.exifOrientation = false
        return options
    }()
}
