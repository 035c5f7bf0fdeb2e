extension TrainingOptions {
    /// The options of the teacher and of what is learnt from it.
    static let distillationFields: [OptionField] = [
        .texts(
            .teacher,
            \.teacher,
            "checkpoint",
            "Teacher: a run, a model directory or a file; of several (commas, or the flag repeated) the probabilities "
                + "are averaged."
        ),
        .choice(.distillation, \.distillation, "What the student learns from the teacher."),
        .number(
            .distillationAlpha,
            \.distillationAlpha,
            0...1,
            "weight",
            "Weight of the teacher's part of the loss."
        ),
        .number(
            .distillationTau,
            \.distillationTau,
            positive,
            "tau",
            "Temperature of soft distillation."
        ),
        .choice(
            .klReduction,
            \.klReduction,
            "Divide the soft loss by images × classes, or by images."
        ),
        .choice(
            .distillationToken,
            \.distillationToken,
            "Whether the student must have a distillation token; on: a plain --finetune gets one."
        ),
        .choice(
            .tokenInit,
            \.tokenInit,
            "What such a token begins as: the class token, or normal numbers."
        ),
        .number(
            .teacherFinetune,
            \.teacherFinetune,
            1...1_000_000,
            absent: "off",
            "epochs",
            "Train the teacher so long on this data first, in the run's folder."
        ),
        .text(
            .teacherRecipe,
            \.teacherRecipe,
            "name|file",
            "Recipe for that; linear trains a new head alone."
        ),
        .text(
            .cacheTeacher,
            \.cacheTeacher,
            "file",
            "Keep the teacher's answers in a file for this run and others; FOLDER/ has one for each kind."
        ),
        .number(.cacheLimit, \.cacheLimit, positive, "GB", "Largest size of that file."),
    ]
}
