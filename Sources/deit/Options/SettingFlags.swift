import ArgumentParser
import Training

/// Which settings a command has as flags.
protocol SettingSelection {
    /// Made once, as ArgumentParser asks for it many times: ``SettingFlag/all(of:where:standard:)``.
    static var flags: [SettingFlag] { get }
}

/// A setting as a flag of a command.
struct SettingFlag: Sendable {
    let setting: any AnySetting
    let help: ArgumentHelp

    /// The flags of settings.
    ///
    /// - Parameters:
    ///   - method: The method whose settings they are, with its help and its defaults.
    ///   - isIncluded: Whether a setting is one of them.
    ///   - standard: What the help says of a setting's default, made of the default itself.
    /// - Returns: The flags in the order of the settings.
    static func all(
        of method: TrainingMethod,
        where isIncluded: (any AnySetting) -> Bool = { _ in true },
        standard: (any AnySetting, String) -> String
    ) -> [SettingFlag] {
        let defaults = TrainingOptions.defaults(of: method)
        return Settings.of(method).filter { $0.hasFlag && isIncluded($0) }.map { setting in
            let parts = setting.text(in: defaults).split(separator: ",")
                .map { $0.hasSuffix(".0") ? $0.dropLast(2) : $0 }
            let standard = standard(setting, parts.joined(separator: ","))
            return SettingFlag(
                setting: setting,
                help: ArgumentHelp(
                    setting.help(of: method)
                        + (standard.isEmpty ? "" : " (default: \(standard))"),
                    valueName: setting.placeholder
                )
            )
        }
    }

    /// As ArgumentParser has it.
    fileprivate var option: Any {
        let name = NameSpecification.customLong(String(setting.flag.dropFirst(2)))
        if setting.isRepeatable { return Option(wrappedValue: [String](), name: name, help: help) }
        let completion = setting.choices.isEmpty ? nil : CompletionKind.list(setting.choices)
        return Option<String?>(name: name, help: help, completion: completion)
    }
}

/// Flags made from the declarations of settings, in one section of `--help` for each of theirs.
///
/// ArgumentParser finds the options of a type by its mirror, and decodes them by the same names; so this type's mirror shows
/// what it makes.
struct SettingFlags<Selection: SettingSelection>: ParsableArguments, CustomReflectable {
    /// The settings whose flags were given, with the flags' texts.
    private(set) var given: [Recipe.Value] = []

    private static var sections: [any SettingSectionType.Type] {
        let used = Set(Selection.flags.map(\.setting.section))
        return SettingSection.allCases.filter(used.contains).map(\.type)
    }

    init() {}

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: SettingKey.self)
        for section in Self.sections {
            given += try section.given(Selection.self, in: container)
        }
    }

    var customMirror: Mirror {
        Mirror(
            self,
            children: Self.sections.map { section -> Mirror.Child in
                (label: section.section.label, value: section.group(Selection.self))
            }
        )
    }
}

/// The flags of one section.
private struct SectionFlags<
    Selection: SettingSelection,
    Section: SettingSectionType
>: ParsableArguments, CustomReflectable {
    private(set) var given: [Recipe.Value] = []

    private static var flags: [SettingFlag] {
        Selection.flags.filter { $0.setting.section == Section.section }
    }

    init() {}

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: SettingKey.self)
        for setting in Self.flags.map(\.setting) {
            let key = SettingKey(setting.key)
            let texts =
                setting.isRepeatable
                ? try container.decode(Option<[String]>.self, forKey: key).wrappedValue
                : try container.decode(Option<String?>.self, forKey: key).wrappedValue.map { [$0] }
            guard let texts, !texts.isEmpty else { continue }
            given.append(Recipe.Value(key: setting.key, text: texts.joined(separator: ",")))
        }
    }

    var customMirror: Mirror {
        Mirror(
            self,
            children: Self.flags.map { flag -> Mirror.Child in
                (label: flag.setting.key, value: flag.option)
            }
        )
    }
}

// MARK: - Sections

/// A section as a type: ArgumentParser has a title for each type of option group.
private protocol SettingSectionType {
    static var section: SettingSection { get }
}

extension SettingSectionType {
    fileprivate static func group<Selection: SettingSelection>(_: Selection.Type) -> Any {
        OptionGroup<SectionFlags<Selection, Self>>(title: section.rawValue)
    }

    fileprivate static func given<Selection: SettingSelection>(
        _: Selection.Type,
        in container: KeyedDecodingContainer<SettingKey>
    ) throws -> [Recipe.Value] {
        try container.decode(
            OptionGroup<SectionFlags<Selection, Self>>.self,
            forKey: SettingKey(section.label)
        ).wrappedValue.given
    }
}

extension SettingSection {
    fileprivate var label: String { "\(self)" }

    fileprivate var type: any SettingSectionType.Type {
        switch self {
        case .run: Run.self
        case .data: Data.self
        case .augmentation: Augmentation.self
        case .crops: Crops.self
        case .masking: Masking.self
        case .model: Model.self
        case .head: Head.self
        case .loss: Loss.self
        case .teacher: Teacher.self
        case .distillation: Distillation.self
        case .schedule: Schedule.self
        case .optimizer: Optimizer.self
        case .neighbours: Neighbours.self
        }
    }

    private enum Run: SettingSectionType { static let section = SettingSection.run }
    private enum Data: SettingSectionType { static let section = SettingSection.data }
    private enum Augmentation: SettingSectionType {
        static let section = SettingSection.augmentation
    }
    private enum Crops: SettingSectionType { static let section = SettingSection.crops }
    private enum Masking: SettingSectionType { static let section = SettingSection.masking }
    private enum Model: SettingSectionType { static let section = SettingSection.model }
    private enum Head: SettingSectionType { static let section = SettingSection.head }
    private enum Loss: SettingSectionType { static let section = SettingSection.loss }
    private enum Teacher: SettingSectionType { static let section = SettingSection.teacher }
    private enum Distillation: SettingSectionType {
        static let section = SettingSection.distillation
    }
    private enum Schedule: SettingSectionType { static let section = SettingSection.schedule }
    private enum Optimizer: SettingSectionType { static let section = SettingSection.optimizer }
    private enum Neighbours: SettingSectionType { static let section = SettingSection.neighbours }
}
