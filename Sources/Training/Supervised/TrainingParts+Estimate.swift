import Torch
import TorchNN

@ModelActor
extension TrainingParts {
    /// What is measured of a run that learns from labels.
    ///
    /// - Parameters:
    ///   - macs: The multiplications of an image's forward pass.
    ///   - inputShape: The shape of an image, `[channels, height, width]`.
    ///   - isAnswered: Whether the teacher's answers to all images are kept.
    /// - Returns: The run; every epoch sets again the mode that this sets.
    func estimated(macs: Int, inputShape: [Int], isAnswered: Bool) -> EstimatedRun {
        let module = student.module
        module.trainUnfrozen(plan.options.trainMode)
        // A forward pass is a third of a step, and nearly all of it where no gradient goes back.
        let share = FrozenWeights.isBackboneFrozen(module) ? 1.0 : 1.0 / 3
        let models = average == nil ? 1.0 : 2.0
        return EstimatedRun(
            plan: plan,
            module: module,
            optimizer: optimizer,
            statistics: module.namedBuffers().map(\.buffer.tensor),
            macs: 3 * Double(macs),
            imageCount: inputShape.reduce(1, *),
            measured: share * models * Double(plan.validationCount)
        ) { count in
            var input = try noise(count, inputShape)
            if isAnswered {
                input = input.answered(
                    by: try Tensor.zeros(
                        [count, plan.classNames.count],
                        device: plan.policy.device
                    )
                )
            }
            _ = try StepGradients.add(task, input, parts: 1)
        }
    }

    private func noise(_ count: Int, _ inputShape: [Int]) throws -> StepInput {
        let classes = plan.classNames.count
        let device = plan.policy.device
        let labels = try Tensor((0..<count).map { Int64($0 % classes) }, shape: [count])
            .to(device)
        return StepInput(
            pixels: try Tensor.randn([count] + inputShape).to(device),
            targets: TrainingTargets(
                labels: labels,
                soft: plan.options.mixes || plan.isMultiLabel
                    ? try labels.oneHot(classes: classes) : nil,
                isMultiLabel: plan.isMultiLabel
            )
        )
    }
}
