import Training

/// Prints what is in effect before the first step.
enum RunHeader {
    /// Prints the facts of a run and the options that are not as the recipe has them.
    ///
    /// - Parameters:
    ///   - plan: What follows from options, data and model.
    ///   - request: What was requested.
    ///   - isVerbose: Whether all options are printed.
    static func print(
        _ plan: RunPlan,
        _ request: RunRequest,
        isVerbose: Bool
    ) {
        let options = plan.options
        Console.line("run \(request.output), recipe \(request.recipe)")
        let facts = [("model", model(options)), ("data", options.data)]
        for (name, value) in facts + plan.facts.map({ ($0.name, $0.value) }) {
            Console.line("  \(padded(name)) \(value)")
        }
        let usual = recipeOptions(request)
        let rows = Settings.of(options.method).compactMap { setting -> String? in
            let value = setting.text(in: options)
            let isUsual = value == usual.map { setting.text(in: $0) }
            let isShown = isVerbose || (!isUsual && !shownAbove.contains(setting.key))
            guard isShown else { return nil }
            return "  \(padded(setting.key)) \(value)\(isVerbose && !isUsual ? "  *" : "")"
        }
        if isVerbose {
            Console.line("options (* differs from the recipe):")
        } else {
            let all = "all: --verbose, or \(request.output)/run.yaml"
            Console.line(
                rows.isEmpty
                    ? "options: the recipe's (\(all))"
                    : "options that differ from the recipe (\(all)):"
            )
        }
        for row in rows { Console.line(row) }
        guard request.resuming == nil else { return }
        for warning in [plan.warningOfFewSteps, plan.warningOfLongWarmup] {
            if let warning { Console.complain(warning) }
        }
    }

    /// Options that are printed with the facts.
    private static let shownAbove: Set<String> = ["data", "model", "finetune", "init"]

    private static func model(_ options: TrainingOptions) -> String {
        let start = options.finetune.isEmpty ? options.initialWeights : options.finetune
        guard start.isEmpty else { return "\(options.model), from \(start)" }
        guard options.model.contains(".") else { return options.model }
        return
            "\(options.model), newly initialised; `deit finetune \(options.model)` starts from the published weights"
    }

    /// The options as the recipe has them; nil where it is not there any more.
    private static func recipeOptions(_ request: RunRequest) -> TrainingOptions? {
        guard let recipe = try? Recipe.named(request.recipe) else { return nil }
        var options = TrainingOptions.defaults(of: request.options.method)
        do {
            try options.apply(recipe)
            return options
        } catch {
            return nil
        }
    }

    /// What the run will take.
    static func print(_ estimate: RunEstimate) {
        let memory = estimate.memory.map { bytes in
            "about \(ProgressPrinter.fixed(Double(bytes) / 1e9, 1)) GB of memory and "
        }
        let step = ProgressPrinter.fixed(estimate.secondsPerStep, 3)
        Console.line(
            "estimate: \(memory ?? "")\(ProgressPrinter.time(.seconds(estimate.seconds))) for the rest of the run, "
                + "\(step) s a step, measured on \(estimate.images) images; without waiting for images"
        )
    }

    private static func padded(_ name: String) -> String {
        name + String(repeating: " ", count: max(0, 20 - name.count))
    }
}
