// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
// AnySetting documents what all settings have; a section is its title.

/// One option of training, declared once: its key, default, range, help, the methods that have it and what it changes.
///
/// Recipes, `run.yaml`, flags, `--help` and the key of kept teacher answers are made from it. ``Settings`` declares all of
/// them, and ``TrainingOptions`` has a value for each.
public struct Setting<Value: Sendable & Equatable & Codable>: AnySetting {
    public let key: String
    public private(set) var section = SettingSection.run
    public private(set) var methods: Set<TrainingMethod> = []
    public private(set) var effect = SettingEffect.gradients
    public private(set) var hasFlag = true
    public private(set) var namesPlace = false
    public private(set) var isDerivedInTeacherKey = false
    public private(set) var otherKeys: [String] = []
    private let form: SettingForm<Value>
    private let standard: Value
    private var standards: [TrainingMethod: Value] = [:]
    private var text = ""
    private var texts: [TrainingMethod: String] = [:]

    /// Begins a declaration.
    ///
    /// - Parameters:
    ///   - key: The name in recipes and in `run.yaml`.
    ///   - standard: The default.
    ///   - form: How a value is written.
    init(_ key: String, _ standard: Value, _ form: SettingForm<Value>) {
        self.key = key
        self.standard = standard
        self.form = form
    }

    /// The default in a method, where no recipe says otherwise.
    public func standard(of method: TrainingMethod) -> Value { standards[method] ?? standard }

    public func help(of method: TrainingMethod) -> String { texts[method] ?? text }
    public var placeholder: String { form.placeholder }
    public var choices: [String] { form.choices }
    public var isRepeatable: Bool { form.isRepeatable }
    public var expected: String { form.expected }
    public var takesList: Bool { form.takesList }

    public func text(in options: TrainingOptions) -> String { form.write(options[self]) }

    public func read(_ text: String, into options: inout TrainingOptions) -> Bool {
        guard let value = form.read(text) else { return false }
        options[self] = value
        return true
    }

    public func reset(_ options: inout TrainingOptions, to method: TrainingMethod) {
        options[self] = standard(of: method)
    }

    public func isEqual(_ first: TrainingOptions, _ second: TrainingOptions) -> Bool {
        first[self] == second[self]
    }

    public func encode(
        _ options: TrainingOptions,
        to container: inout KeyedEncodingContainer<SettingKey>
    ) throws {
        try container.encode(options[self], forKey: SettingKey(key))
    }

    public func decode(
        _ options: inout TrainingOptions,
        from container: KeyedDecodingContainer<SettingKey>
    ) throws {
        options[self] = try container.decode(Value.self, forKey: SettingKey(key))
    }
}

// MARK: - The parts of a declaration

extension Setting {
    private func with(_ change: (inout Setting) -> Void) -> Setting {
        var changed = self
        change(&changed)
        return changed
    }

    /// Sets the setting's group in `--help`, which methods have it, and what it changes.
    func listed(
        _ section: SettingSection,
        for methods: Set<TrainingMethod>,
        changes effect: SettingEffect
    ) -> Setting {
        with {
            $0.section = section
            $0.methods = methods
            $0.effect = effect
        }
    }

    /// Says what the setting is for; other words for some methods.
    func help(_ words: String, for methods: TrainingMethod...) -> Setting {
        with {
            if methods.isEmpty { $0.text = words }
            for method in methods { $0.texts[method] = words }
        }
    }

    /// Sets another default for some methods.
    func standard(_ value: Value, for methods: TrainingMethod...) -> Setting {
        with { for method in methods { $0.standards[method] = value } }
    }

    /// Says that the command decides the value: there is no flag.
    func withoutFlag() -> Setting { with { $0.hasFlag = false } }

    /// Says that the value is the path of something: a run goes on with the same thing in another place.
    func place() -> Setting { with { $0.namesPlace = true } }

    /// Says that the key of kept teacher answers holds what follows from the setting (the fingerprint of the images, the
    /// size of the input, the steps), not its text.
    func derivedInTeacherKey() -> Setting { with { $0.isDerivedInTeacherKey = true } }

    /// Accepts a key of earlier versions in recipes and in `run.yaml`.
    func formerly(_ key: String) -> Setting { with { $0.otherKeys.append(key) } }
}

// MARK: - All settings

/// A ``Setting`` of any type.
public protocol AnySetting: Sendable {
    /// The name in recipes and in `run.yaml`, such as `weight_decay`.
    var key: String { get }
    /// Its group in `--help`.
    var section: SettingSection { get }
    /// The methods that have it.
    var methods: Set<TrainingMethod> { get }
    /// What it changes.
    var effect: SettingEffect { get }
    /// Whether the commands of its methods have a flag for it.
    var hasFlag: Bool { get }
    /// Whether its value is a path whose content matters, not its location.
    var namesPlace: Bool { get }
    /// Whether the key of kept teacher answers holds what follows from it, not its text.
    var isDerivedInTeacherKey: Bool { get }
    /// Its keys in earlier versions.
    var otherKeys: [String] { get }
    /// What it is for, in one sentence.
    func help(of method: TrainingMethod) -> String
    /// What its value is, for `--help`: `rate`.
    var placeholder: String { get }
    /// What a value has to be, for errors.
    var expected: String { get }
    /// The words that are values; empty where there are too many to list.
    var choices: [String] { get }
    /// Whether a recipe may have a list for it.
    var takesList: Bool { get }
    /// Whether the flag may be repeated, each time with one part of the value.
    var isRepeatable: Bool { get }

    /// The text of its value, as a recipe would have it.
    func text(in options: TrainingOptions) -> String
    /// Sets its value from text; returns false where the text is not a value.
    func read(_ text: String, into options: inout TrainingOptions) -> Bool
    /// Sets its value to the default of a method.
    func reset(_ options: inout TrainingOptions, to method: TrainingMethod)
    /// Whether two sets of options have the same value.
    func isEqual(_ first: TrainingOptions, _ second: TrainingOptions) -> Bool
    /// Writes its value under its key.
    func encode(
        _ options: TrainingOptions,
        to container: inout KeyedEncodingContainer<SettingKey>
    ) throws
    /// Reads its value from under its key.
    func decode(
        _ options: inout TrainingOptions,
        from container: KeyedDecodingContainer<SettingKey>
    ) throws
}

extension AnySetting {
    /// The name as a flag, such as `--weight-decay`.
    public var flag: String { "--" + key.replacing("_", with: "-") }
}

/// What a setting changes: the first thing on the way from the images to the files; what comes later may change with it.
public enum SettingEffect: Sendable, CaseIterable {
    /// The images of a step, and so what a teacher answers.
    case pixels
    /// The weights that are learnt from the same images.
    case gradients
    /// What is measured on the way, and by it the best checkpoint and when a run stops.
    case evaluation
    /// What is written of it: records, TensorBoard, reconstructions.
    case records
    /// Which other files are kept: checkpoints, a teacher's answers.
    case files
    /// How fast a run goes, and which damaged files it survives.
    case nothing
}

/// A section of `--help`, in its order.
public enum SettingSection: String, Sendable, CaseIterable {
    case run = "Run"
    case data = "Data"
    case augmentation = "Augmentation"
    case crops = "Multi-crop"
    case masking = "Masking"
    case model = "Model"
    case head = "Projection head"
    case loss = "Loss"
    case teacher = "Teacher and loss"
    case distillation = "Distillation"
    case schedule = "Schedule"
    case optimizer = "Optimizer"
    case neighbours = "kNN evaluation"
}

/// The key of a setting, for coders.
public struct SettingKey: CodingKey {
    /// The key.
    public let stringValue: String
    /// Nothing: a setting has no number.
    public var intValue: Int? { nil }

    /// Creates a key.
    public init(_ key: String) { stringValue = key }

    /// Creates a key.
    public init?(stringValue: String) { self.stringValue = stringValue }

    /// Creates nothing.
    public init?(intValue: Int) { nil }
}
