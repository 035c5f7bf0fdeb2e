import Checkpoints
import Datasets
import Foundation
import ImagePipeline
import Inference
import Torch
import TorchNN
import VisionModels

/// Learning to paint the hidden patches of images.
///
/// ## Source
/// Xie et al., "SimMIM" (arXiv:2111.09886), section 3.
@ModelActor
final class MIMLearner: Learner {
    let model: MaskedImageModel
    let masking: PatchMasking
    let optimizer: any Optimizer
    private let plan: RunPlan
    private let description: ModelDescription
    /// The images that reconstructions are shown of; nil for none.
    private let shown: DataLoader?
    private let scaler: GradientScaler?
    private var lastImages: Tensor?
    var counters: [String: Double] = [:]
    var exchange: GradientExchange?

    init(
        _ plan: RunPlan,
        _ model: MaskedImageModel,
        _ description: ModelDescription,
        masking: PatchMasking,
        optimizer: any Optimizer,
        shown: DataLoader?
    ) throws(TorchError) {
        scaler = try plan.policy.makeScaler()
        self.plan = plan
        self.model = model
        self.description = description
        self.masking = masking
        self.optimizer = optimizer
        self.shown = shown
    }

    var module: Module { model }

    func movingStatistics() -> [Tensor] { model.namedBuffers().map(\.buffer.tensor) }

    func beginEpoch() { model.train() }

    // MARK: - A step

    /// The masks of images, `[images, patches]` of 0 and 1.
    func masks(of indices: [Int], epoch: Int) throws(TorchError) -> Tensor {
        let seed = UInt64(bitPattern: Int64(plan.options.seed))
        let values = indices.flatMap { index in
            masking.mask(of: index, epoch: epoch, seed: seed).map { Float($0) }
        }
        return try Tensor(values, shape: [indices.count, masking.grid.count])
    }

    /// Adds the gradients of a batch, part by part; as of every image as much is hidden, the parts' shares add up to
    /// the loss of the whole batch.
    func addGradients(_ batch: ImageBatch, at place: StepPlace) throws -> StepNumbers {
        try addGradients(
            batch.tensor(),
            masks: masks(of: batch.indices, epoch: place.epoch),
            parts: plan.options.accumulation,
            exchange: exchange
        )
    }

    /// Adds the gradients of images, `[images, channels, height, width]`, and their masks.
    private func addGradients(
        _ images: Tensor,
        masks: Tensor,
        parts: Int,
        exchange: GradientExchange? = nil
    ) throws -> StepNumbers {
        let device = plan.policy.device
        let (images, masks) = (try images.to(device), try masks.to(device))
        let divided = BatchParts(of: images.shape[0], into: parts)
        var losses: [Tensor] = []
        for range in divided.ranges {
            let (some, hidden) = (try images.narrowed(0, range), try masks.narrowed(0, range))
            lastImages = some
            let painted = try ComputePolicy.autocast(plan.policy.autocastDType) {
                () throws(TorchError) in
                try model(some, mask: hidden).reconstruction
            }
            let loss =
                try model.loss(some, reconstruction: painted, mask: hidden)
                * divided.share(of: range)
            try loss.backward(scaledBy: scaler)
            losses.append(try loss.detached())
        }
        if let exchange {
            let shared = try exchange.average(
                gradientsOf: optimizer,
                images: images.shape[0],
                means: [Tensor.stack(losses).sum()]
            )
            var numbers = StepNumbers(loss: shared.means[0])
            numbers.images = shared.images
            if plan.options.clipGrad != nil {
                numbers.gradientNorm = try optimizer.gradientNorm()?.item()
            }
            return numbers
        }
        var wanted = [try Tensor.stack(losses).sum()]
        if let scaler { wanted.append(try scaler.unscale(optimizer.gradients())) }
        let scaled = wanted.count
        if plan.options.clipGrad != nil, let norm = try optimizer.gradientNorm() {
            wanted.append(norm)
        }
        let values = try Tensor.stack(wanted).floats()
        var numbers = StepNumbers()
        numbers.loss = Double(values[0])
        if scaler != nil { numbers.overflowed = values[1] != 0 }
        if values.count > scaled { numbers.gradientNorm = Double(values[scaled]) }
        return numbers
    }

    func diagnosis() -> String {
        NonFiniteDiagnosis.sentence(model, pixels: lastImages.map { [$0] } ?? []) { nil }
    }

    func takeStep(_ numbers: StepNumbers, at place: StepPlace) throws {
        if let limit = plan.options.clipGrad, let norm = numbers.gradientNorm {
            try optimizer.clipGradients(norm: norm, maxNorm: limit)
        }
        try optimizer.step(lr: plan.learningRate(step: place.step))
        try scaler?.update()
    }

    func leaveOutStep() throws { try scaler?.update() }

    /// The part of a run that is measured for its estimate.
    func estimated() -> EstimatedRun {
        beginEpoch()
        let configuration = description.configuration
        let (height, width) = configuration.imageSize
        let shape = [configuration.inChannels, height, width]
        return EstimatedRun(
            plan: plan,
            module: model,
            optimizer: optimizer,
            statistics: movingStatistics(),
            macs: 3 * Double(configuration.macs),
            imageCount: shape.reduce(1, *),
            measured: Double(shown?.dataset.count ?? 0) / 3
        ) { [self] count in
            _ = try addGradients(
                Tensor.randn([count] + shape),
                masks: masks(of: Array(0..<count), epoch: 0),
                parts: 1
            )
            lastImages = nil
        }
    }

    func clearGradients() throws {
        lastImages = nil
        try optimizer.clearGradients()
    }

    // MARK: - An epoch's end

    /// Paints the images that are shown, and tells how far off the hidden pixels are.
    func measure(
        after place: StepPlace,
        sums: EpochSums,
        stop: StopRequest
    ) async throws -> EpochScores? {
        var scores = EpochScores()
        guard let shown else { return scores }
        model.eval()
        defer { model.train() }
        var batches = shown.batches().makeAsyncIterator()
        guard let batch = try await batches.next(isolation: #isolation), batch.count > 0 else {
            return scores
        }
        // The sheet is drawn from memory of the processor.
        let images = try batch.tensor(on: .cpu)
        // Always the same masks, so that sheets of two epochs can be compared.
        let masks = try masks(of: Array(0..<batch.count), epoch: 0)
        let (painted, loss) = try withoutGradient { () throws(TorchError) -> (Tensor, Double) in
            let device = plan.policy.device
            let (images, masks) = (try images.to(device), try masks.to(device))
            let painted = try ComputePolicy.autocast(plan.policy.autocastDType) {
                () throws(TorchError) in
                try model(images, mask: masks).reconstruction
            }
            let loss = try model.loss(images, reconstruction: painted, mask: masks).item()
            return (try painted.to(.float32).to(Device.cpu), loss)
        }
        let sheet = try MIMSheet(
            patchSize: model.network.configuration.patchSize,
            normalization: description.processor.normalization
        ).png(images: images, painted: painted, masks: masks)
        let name = MIMSheet.name(epoch: place.epoch + 1)
        scores.files.append((name, sheet))
        scores.notices.append(
            "reconstruction: loss \(String(format: "%.4f", loss)) on \(batch.count) images, shown in \(name)"
        )
        return scores
    }

    // MARK: - Checkpoints

    func namedState() -> [(name: String, tensor: Tensor)] {
        model.namedTensors().map { ("model.\($0.name)", $0.tensor) }
            + optimizer.namedState().map { ("optimizer.\($0.name)", $0.tensor) }
            + (scaler?.checkpointState() ?? [])
    }

    /// Writes the transformer; with a distillation token as `DeiTForMaskedImageModeling`, mask token and decoder too.
    func save(to folder: String) throws {
        let isDistilled = model.network.configuration.isDistilled
        let decoder = model.decoder.enumerated().flatMap { index, layer in
            layer.namedTensors().map { ("decoder.\(index).\($0.name)", $0.tensor) }
        }
        try ModelDirectory.write(
            model.network,
            description,
            into: folder,
            options: SaveOptions(
                form: isDistilled ? .huggingFace(.deitForMaskedImageModeling) : .automatic
            ),
            extras: isDistilled ? [("embeddings.mask_token", model.maskToken.tensor)] + decoder : []
        )
    }

    /// All weights are among ``namedState()``.
    func load(from folder: String) throws {}
}
