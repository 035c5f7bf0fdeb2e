import Training

/// Prints what is in effect before the first step.
enum RunHeader {
    static func print(_ plan: TrainingPlan, output: String, recipe: String) {
        Console.line("run \(output), recipe \(recipe)")
        let method = plan.options.method
        let defaults = TrainingOptions.defaults(of: method)
        let rows = TrainingOptions.fields(of: method).map { field in
            let value = plan.options.text(of: field)
            let isDefault = value == defaults.text(of: field)
            return "  \(padded(field.key)) \(value)\(isDefault ? "" : "  *")"
        }
        Console.line("options (* differs from the default):")
        for row in rows { Console.line(row) }
        Console.line("effective:")
        for fact in plan.facts { Console.line("  \(padded(fact.name)) \(fact.value)") }
    }

    /// What the run will take.
    static func print(_ estimate: RunEstimate) {
        let memory = estimate.memory.map { bytes in
            "about \(ProgressPrinter.fixed(Double(bytes) / 1e9, 1)) GB of memory and "
        }
        let step = ProgressPrinter.fixed(estimate.secondsPerStep, 3)
        Console.line(
            "estimate: \(memory ?? "")\(ProgressPrinter.time(.seconds(estimate.seconds))) for what is left, "
                + "\(step) s a step, measured on \(estimate.pictures) pictures; waiting for pictures comes on top"
        )
    }

    private static func padded(_ name: String) -> String {
        name + String(repeating: " ", count: max(0, 20 - name.count))
    }
}
