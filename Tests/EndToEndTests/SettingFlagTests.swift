import Foundation
import TestSupport
import Testing
import Training

/// The flags of the commands that train are the settings of their methods, all of them and no others.
@Suite struct SettingFlagTests {
    private struct Option: Decodable {
        struct Name: Decodable {
            let name: String
        }
        let names: [Name]?
        let abstract: String?
        let valueName: String?
        let sectionTitle: String?

        var flag: String { "--" + (names?.map(\.name).max { $0.count < $1.count } ?? "") }
    }

    private struct Command: Decodable {
        let commandName: String
        let subcommands: [Command]?
        let arguments: [Option]?
    }

    private struct Dump: Decodable {
        let command: Command
    }

    /// The flags of a command, but for those of the run itself.
    private func flags(_ words: [String], in folder: URL) async throws -> [Option] {
        let result = try await DeitCommand.run(["--experimental-dump-help"], in: folder)
        var command = try JSONDecoder().decode(Dump.self, from: Data(result.output.utf8)).command
        for word in words {
            command = try #require(command.subcommands?.first { $0.commandName == word })
        }
        let others = [
            "--recipe", "--output", "--resume", "--resume-auto", "--dist-timeout", "--list-groups",
            "--verbose", "--version", "--help",
        ]
        return (command.arguments ?? []).filter { $0.names != nil && !others.contains($0.flag) }
    }

    static let commands: [(words: [String], method: TrainingMethod, lacking: Set<String>)] = [
        (["train"], .supervised, []),
        // Its argument.
        (["finetune"], .supervised, ["--finetune"]),
        (["pretrain", "dino"], .dino, []),
        (["pretrain", "mim"], .mim, []),
    ]

    @Test(arguments: commands)
    func flagsAndSettingsAreTheSame(
        words: [String],
        method: TrainingMethod,
        lacking: Set<String>
    ) async throws {
        try await withTemporaryFolder { folder in
            let flags = try await flags(words, in: folder)
            let settings = Settings.of(method).filter { $0.hasFlag && !lacking.contains($0.flag) }
            let (found, expected) = (Set(flags.map(\.flag)), Set(settings.map(\.flag)))
            #expect(expected.subtracting(found) == [], "settings without a flag")
            #expect(found.subtracting(expected) == [], "flags without a setting")
            for setting in settings {
                let flag = flags.first { $0.flag == setting.flag }
                #expect(flag?.valueName == setting.placeholder, "\(setting.flag)")
                let help = setting.help(of: method)
                #expect(flag?.abstract?.hasPrefix(help) == true, "\(setting.flag)")
                #expect(flag?.sectionTitle == setting.section.rawValue, "\(setting.flag)")
            }
            #expect(lacking.isSubset(of: Set(Settings.of(method).map(\.flag))))
            #expect(Settings.of(method).filter { !$0.hasFlag }.map(\.key) == ["method"])
        }
    }

    @Test(arguments: commands)
    func theHelpNamesNoOptionOfAnotherMethod(
        words: [String],
        method: TrainingMethod,
        lacking: Set<String>
    ) async throws {
        try await withTemporaryFolder { folder in
            let help = try await DeitCommand.run(words + ["--help"], in: folder).output
            let named = Set(help.matches(of: /--[a-z][a-z0-9-]*/).map { String($0.output) })
            let own = Set(Settings.of(method).map(\.flag))
            let others = Settings.all.map(\.flag).filter { !own.contains($0) }
            #expect(named.intersection(others) == [])
            #expect(named.isSuperset(of: own.subtracting(lacking).subtracting(["--method"])))
            let recipes = Recipe.shippedNames.filter { (try? Recipe.named($0).method) != method }
            let list = help.components(separatedBy: "--recipe <").last?
                .components(separatedBy: "--output").first
            let listed = Set((list ?? "").split { !$0.isLetter && !$0.isNumber && $0 != "-" })
            #expect(listed.isDisjoint(with: recipes.map { $0[...] }))
        }
    }

    /// Every flag is read: with the defaults behind all of them only the data are wanted.
    @Test(arguments: commands)
    func everyFlagIsRead(
        words: [String],
        method: TrainingMethod,
        lacking: Set<String>
    ) async throws {
        try await withTemporaryFolder { folder in
            let start = words == ["finetune"] ? ["start"] : []
            let standard = TrainingOptions.defaults(of: method)
            let flags = Settings.of(method).filter { $0.hasFlag && !lacking.contains($0.flag) }
                .flatMap { setting -> [String] in
                    let text = setting.text(in: standard)
                    return text.isEmpty ? [] : [setting.flag, text]
                }
            #expect(flags.count > 50)
            try Data().write(to: folder.appending(path: "start"))
            let result = try await DeitCommand.run(words + start + flags, in: folder)
            #expect(result.code != 0)
            #expect(!result.errors.contains("Unknown option"), "\(result.errors)")
            #expect(!result.errors.contains("invalid value"), "\(result.errors)")
            let bad = try await DeitCommand.run(
                words + start + flags + ["--seed", "many"],
                in: folder
            )
            bad.expectRefusal(64, saying: "invalid value \"many\" of seed")
        }
    }

    @Test func aFlagOfAnotherMethodSaysWhose() async throws {
        try await withTemporaryFolder { folder in
            try await DeitCommand.run(["train", "--out-dim", "8"], in: folder)
                .expectRefusal(64, saying: "--out-dim", "it is an option of deit pretrain dino")
            try await DeitCommand.run(["pretrain", "mim", "--teacher", "x"], in: folder)
                .expectRefusal(64, saying: "--teacher", "it is an option of deit train")
        }
    }
}
