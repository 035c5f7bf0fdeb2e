public import Checkpoints

/// What a classifier is trained on, which decides its loss (`problem_type`).
public typealias ProblemType = Checkpoints.ProblemType
