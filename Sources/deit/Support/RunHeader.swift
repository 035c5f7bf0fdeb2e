import Training

/// Prints what is in effect before the first step.
enum RunHeader {
    static func print(_ plan: TrainingPlan, output: String, recipe: String) {
        Console.line("run \(output), recipe \(recipe)")
        let defaults = TrainingOptions()
        let rows = TrainingOptions.fields.map { field in
            let value = plan.options.text(of: field)
            let isDefault = value == defaults.text(of: field)
            return "  \(padded(field.key)) \(value)\(isDefault ? "" : "  *")"
        }
        Console.line("options (* differs from the default):")
        for row in rows { Console.line(row) }
        Console.line("effective:")
        for fact in plan.facts { Console.line("  \(padded(fact.name)) \(fact.value)") }
    }

    private static func padded(_ name: String) -> String {
        name + String(repeating: " ", count: max(0, 20 - name.count))
    }
}
