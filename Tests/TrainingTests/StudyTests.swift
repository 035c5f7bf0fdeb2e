import Testing

@testable import Training

@Suite struct StudyTests {
    private func study(_ yaml: String, data: String? = nil) throws -> Study {
        try Study(
            name: "mine",
            yaml: yaml,
            overrides: data.map { [Recipe.Value(key: "data", text: $0)] } ?? []
        )
    }

    @Test func rowsAreTheBaseWithChanges() throws {
        let study = try study(
            """
            base: {recipe: cifar, epochs: 7, data: here}
            rows:
              full:
              large: {batch: 512, epochs: 9}
            seeds: [3, 1]
            heads: [both, cls]
            """,
            data: "there"
        )
        #expect(study.recipe == "cifar" && study.seeds == [3, 1] && study.heads == [.both, .cls])
        try #require(study.rows.map(\.name) == ["full", "large"])
        #expect(study.rows[0].options.epochs == 7 && study.rows[0].options.data == "there")
        #expect(study.rows[1].options.batch == 512 && study.rows[1].options.epochs == 9)
        // The recipe's own values are there too.
        #expect(study.rows[1].options.cropPadding == 4)
        let runs = study.runs
        #expect(
            runs.map(\.folderName) == ["full-seed3", "full-seed1", "large-seed3", "large-seed1"]
        )
        #expect(
            runs[3].command(output: "o/my run")
                == "deit train --recipe cifar --epochs 9 --data there --batch 512 --seed 1 --output 'o/my run'"
        )
        #expect(runs[3].options.seed == 1)
    }

    /// The command's arguments, read as flags over the recipe, are the row's options.
    @Test func theCommandGivesTheRowsOptions() throws {
        let study = try study(
            """
            base: {recipe: deit, data: d, opt_betas: [0.8, 0.99], teacher: t, distillation: hard}
            switch-off: [mixup, [mixup, cutmix], aa, reprob, drop_path, repeated_aug, ema, distillation]
            """
        )
        #expect(study.rows.count == 9)
        for run in study.runs {
            let arguments = run.arguments(output: "o")
            var options = TrainingOptions()
            try options.apply(Recipe.named("deit"))
            for place in stride(from: 3, to: arguments.count - 2, by: 2) {
                let key = String(arguments[place].dropFirst(2))
                try options.set(key, to: arguments[place + 1], source: "the test")
            }
            #expect(options == run.options, "\(run.row.name)")
        }
    }

    @Test func switchedOffOneAtATime() throws {
        let study = try study(
            """
            base: {recipe: cifar, data: d}
            switch_off: [mixup, [mixup, cutmix], aa, repeated_aug, ema, drop-path]
            """
        )
        #expect(
            study.rows.map(\.name) == [
                "full", "without mixup", "without mixup, cutmix", "without aa",
                "without repeated_aug", "without ema", "without drop-path",
            ]
        )
        #expect(study.rows[1].options.mixup == 0 && study.rows[1].options.cutmix == 1)
        #expect(!study.rows[2].options.mixes)
        #expect(study.rows[3].options.aa == nil && study.rows[4].options.repeatedAug == nil)
        #expect(study.rows[5].options.ema == nil && study.rows[6].options.dropPath == 0)
    }

    @Test func axesMakeAGrid() throws {
        let study = try study(
            """
            base: {recipe: cifar, data: d}
            axes:
              lr: [5.0e-4, 1.0e-3]
              method:
                none: {distillation: none}
                hard: {distillation: hard, teacher: t}
            """
        )
        #expect(
            study.rows.map(\.name) == [
                "lr=5.0e-4 method=none", "lr=5.0e-4 method=hard", "lr=1.0e-3 method=none",
                "lr=1.0e-3 method=hard",
            ]
        )
        #expect(study.rows[1].options.lr == 5e-4 && study.rows[1].options.teacher == "t")
        #expect(study.rows[0].fileName == "lr=5.0e-4-method=none")
    }

    @Test func theSameRowTwiceIsMadeOnce() throws {
        let study = try study(
            "{base: {recipe: cifar}, rows: {a: {}, b: {epochs: 100}}, switch-off: [ema]}"
        )
        #expect(study.rows.map(\.name) == ["a", "without ema"])
        #expect(study.notes.count == 1 && study.notes[0].contains("\"b\""))
        #expect(try self.study("base: {recipe: cifar}").rows.map(\.name) == ["base"])
    }

    @Test(arguments: [
        ("bas: {}", "did you mean \"base\""), ("base: {epoch: 3}", "did you mean \"epochs\""),
        ("base: {epochs: none}", "epochs"), ("base: {recipe: cifra}", "did you mean \"cifar\""),
        ("rows: {a: {mixupp: 0}}", "row \"a\" of mine"), ("rows: {a: {mixup: -1}}", "mixup"),
        ("rows: {a: {seed: 1}}", "seeds"), ("rows: {a: {recipe: deit}}", "base"),
        ("rows: [a]", "rows"), ("rows: {a b: {epochs: 1}, a-b: {epochs: 2}}", "same folder"),
        ("switch-off: [mixpu]", "did you mean \"mixup\""),
        ("switch-off: [epochs]", "cannot be switched off"),
        ("switch-off: [model]", "cannot be switched off"),
        ("{base: {mixup: 0}, switch-off: [mixup]}", "already off"),
        ("switch-off: [distillation]", "already off"), ("axes: {lr: 3}", "list of values"),
        ("axes: {lrr: [1]}", "did you mean \"lr\""), ("axes: {lr: [fast]}", "lr"),
        ("seeds: [0, 0]", "different integers"), ("seeds: [-1]", "at least 0"),
        ("heads: [clss]", "did you mean \"cls\""), ("[1]", "mapping"), ("a: [", "cannot be read"),
        ("", "mapping"),
    ])
    func whatIsNoStudyIsRefused(yaml: String, word: String) {
        let error = #expect(throws: OptionError.self) { try study(yaml) }
        #expect(error?.description.contains(word) == true, "\(String(describing: error))")
    }

    @Test func wordsAreQuotedForAShell() {
        #expect(ShellLine.quoted("a_b-c./=1") == "a_b-c./=1")
        #expect(ShellLine.quoted("") == "''" && ShellLine.quoted("a b") == "'a b'")
        #expect(ShellLine.quoted("it's") == "'it'\\''s'" && ShellLine.quoted("$x") == "'$x'")
    }

    @Test func thePaceIsWorkDividedByTime() {
        var pace = StudyPace(work: [10, 20, 10])
        #expect(pace.secondsLeft(after: 5, run: 0, share: 0) == nil)
        #expect(pace.secondsLeft(after: 5, run: 0, share: 0.5) == 35)
        pace.finish(0)
        #expect(pace.secondsLeft(after: 20, run: 1, share: 0.5) == 20)
        // Half of a run that is resumed was done before the clock began.
        var resumed = StudyPace(work: [10, 10])
        resumed.skip(0, share: 0.5)
        #expect(resumed.secondsLeft(after: 1, run: 0, share: 0.5) == nil)
        #expect(resumed.secondsLeft(after: 2, run: 0, share: 0.75) == 10)
    }
}
