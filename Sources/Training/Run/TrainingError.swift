/// A run that cannot start or go on.
public enum TrainingError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The teacher knows other classes than the data has.
    case otherClasses(teacher: String, missing: [String], unexpected: [String])
    /// The teacher reads images of other channels than the student.
    case otherInput(teacher: String, expected: String, found: String)
    /// The teacher is a regression, or gives an image any number of classes.
    case otherTask(teacher: String, problemType: String)
    /// Losses are not finite, and going back to the last good checkpoint did not help or was not possible.
    case diverged(step: Int, diagnosis: String)
    /// The data is not the data that the run was started with.
    case otherData(run: String, difference: String)
    /// No checkpoint of the run can be loaded.
    case noUsableCheckpoint(run: String, reason: String)
    /// Processes that train together do not do the same; the text says in what they differ.
    case processesDiffer(String)
    /// The device has not enough memory for a step; `largest` is the most images that fit at once, where that was found.
    case outOfMemory(device: String, batch: Int, parts: Int, largest: Int?)
    /// A value of a plan is outside of its range; the text says which.
    case invalidPlan(String)

    /// One sentence: what, where, what to do.
    public var description: String {
        switch self {
        case .otherClasses(let teacher, let missing, let unexpected):
            var parts: [String] = []
            if !missing.isEmpty { parts.append("it lacks \(Self.list(missing))") }
            if !unexpected.isEmpty { parts.append("it also has \(Self.list(unexpected))") }
            return "the teacher \(teacher) has other classes than the data: "
                + parts.joined(separator: "; ")
                + "; add --teacher-finetune EPOCHS to train it on this data first, with a head for these classes"
        case .otherInput(let teacher, let expected, let found):
            return
                "the teacher \(teacher) takes images of \(found) channels, the student of \(expected); choose "
                + "another teacher, or the student's --in-chans"
        case .otherTask(let teacher, let problemType):
            return
                "the teacher \(teacher) was trained on another task (problem_type \(problemType)), and its outputs are not "
                + "probabilities of the kind that this data needs; choose another teacher, or add --teacher-finetune EPOCHS to train it on "
                + "this data first"
        case .diverged(let step, let diagnosis):
            return
                "training diverged at step \(step): \(diagnosis); try a lower --lr, --clip-grad 1, a longer "
                + "--warmup-epochs or --dtype fp32"
        case .otherData(let run, let difference):
            return "the data differs from that of \(run): \(difference); "
                + "use the same --data, or start a new run"
        case .processesDiffer(let difference): return "the processes have \(difference)"
        case .invalidPlan(let reason):
            return "the training plan cannot be used: \(reason)"
        case .outOfMemory(let device, let batch, let parts, let largest):
            let step = "a step of \(batch) images\(parts > 1 ? " in \(parts) parts" : "")"
            guard let largest else {
                return
                    "the memory of \(device) does not hold \(step): choose a smaller --batch, a larger --accumulation, or a "
                    + "smaller --model or --size"
            }
            return
                "the memory of \(device) does not hold \(step): the most that fit at once are \(largest); add --batch "
                + "\(largest), or --accumulation \((batch + largest - 1) / largest) for the same batch in parts"
        case .noUsableCheckpoint(let run, let reason):
            return
                "no checkpoint of \(run) can be loaded: \(reason); start a new run with another --output"
        }
    }

    /// The first names of a list, and how many more there are.
    private static func list(_ names: [String], limit: Int = 6) -> String {
        let shown = names.prefix(limit).joined(separator: ", ")
        return names.count > limit ? "\(shown) and \(names.count - limit) more" : shown
    }
}
