import Checkpoints
import Datasets
import Foundation
import ImagePipeline
import Inference
import Torch
import TorchNN
import VisionModels

/// Learning without labels, as DINO does: a student that imitates its own average on other crops of an image.
///
/// ## Source
/// Caron et al., "Emerging Properties in Self-Supervised Vision Transformers" (arXiv:2104.14294), algorithm 1; dino
/// `main_dino.py`, `train_one_epoch`.
@ModelActor
final class DINOLearner: Learner {
    let networks: DINONetworks
    let optimizer: any Optimizer
    let plan: RunPlan
    let schedules: DINOSchedules
    private let crops: MultiCrop
    private let loss: DINOLoss
    private let neighbours: NeighbourGuard?
    private let scaler: GradientScaler?
    var counters: [String: Double] = [:]
    var exchange: GradientExchange? { didSet { neighbours?.group = exchange?.group } }

    /// What the last batch leaves for the step: the mean of the teacher's outputs.
    private var batchCenter: Tensor?
    /// The crops of the last part, for a diagnosis.
    private var lastCrops: [Tensor] = []
    /// The teacher's and the student's weights, in one order.
    private let followers: [Tensor]
    private let leaders: [Tensor]

    init(
        _ plan: RunPlan,
        _ networks: DINONetworks,
        optimizer: any Optimizer,
        crops: MultiCrop,
        neighbours: NeighbourGuard?
    ) throws(TorchError) {
        scaler = try plan.policy.makeScaler()
        let options = plan.options
        self.plan = plan
        self.networks = networks
        self.optimizer = optimizer
        self.crops = crops
        self.neighbours = neighbours
        schedules = DINOSchedules(plan)
        loss = DINOLoss(
            crops: crops.crops.count,
            globalCrops: options.globalCropsNumber,
            studentTemp: options.studentTemp
        )
        followers = networks.teacher.namedParameters().map(\.parameter.tensor)
        leaders = networks.student.namedParameters().map(\.parameter.tensor)
    }

    var module: Module { networks.student }

    func movingStatistics() -> [Tensor] {
        (networks.student.namedBuffers() + networks.teacher.namedBuffers()).map(\.buffer.tensor)
    }

    /// The teacher too is in training mode: it drops nothing, and normalises by batch where the student does.
    func beginEpoch() {
        networks.student.train()
        networks.teacher.train()
    }

    // MARK: - A step

    func addGradients(_ batch: ImageBatch, at place: StepPlace) throws -> StepNumbers {
        try addGradients(
            batch.tensor().reshaped([batch.count, crops.count]),
            at: place,
            exchange: exchange
        )
    }

    /// Adds the gradients of images, a row of crops each.
    ///
    /// - Parameters:
    ///   - rows: `[images, numbers of all crops]`.
    ///   - place: The step.
    ///   - parts: How many parts they are computed in; nil for as many as the options say.
    ///   - exchange: How gradients are averaged over several processes; nil for one process.
    /// - Returns: What the step is judged by.
    /// - Throws: `TorchError` when the numbers do not fit the crops.
    func addGradients(
        _ rows: Tensor,
        at place: StepPlace,
        parts: Int? = nil,
        exchange: GradientExchange? = nil
    ) throws -> StepNumbers {
        let (count, _) = try rows.shape2()
        var sums = Sums()
        let divided = BatchParts(of: count, into: parts ?? plan.options.accumulation)
        for range in divided.ranges {
            try add(rows, range, share: divided.share(of: range), at: place, to: &sums)
        }
        let images = try exchange.map { try share(&sums, of: count, by: $0) } ?? count
        let rows = plan.options.globalCropsNumber * images
        batchCenter = try sums.outputs.map { (sum) throws(TorchError) in try sum / Double(rows) }
        var numbers = try numbers(sums, rows: rows)
        numbers.images = images
        return numbers
    }

    /// Averages the gradients over all processes, and makes the sums those of all their images.
    ///
    /// - Parameters:
    ///   - sums: The sums over this process's images.
    ///   - count: Their number.
    ///   - exchange: Averages over the processes.
    /// - Returns: The images of all processes.
    /// - Throws: What the exchange throws.
    private func share(
        _ sums: inout Sums,
        of count: Int,
        by exchange: GradientExchange
    ) throws -> Int {
        let shared = try exchange.average(
            gradientsOf: optimizer,
            images: count,
            means: [Tensor.stack(sums.loss).sum(), Tensor.stack(sums.entropy).sum()]
        )
        let means = try shared.means.map { (mean) throws(TorchError) in
            try Tensor([Float(mean)], shape: [1]).squeezed(0).to(plan.policy.device)
        }
        (sums.loss, sums.entropy) = ([means[0]], [means[1]])
        for sum in [sums.answers, sums.outputs] {
            if let sum { try exchange.group.sum(sum) }
        }
        sums.features = [try exchange.group.gather(rows: Tensor.cat(sums.features, dim: 0))]
        return shared.images
    }

    /// What the parts of a batch add up to.
    private struct Sums {
        var loss: [Tensor] = []
        var entropy: [Tensor] = []
        var answers: Tensor?
        var outputs: Tensor?
        var features: [Tensor] = []
    }

    /// Adds the gradients of some of a batch's images, each by its share of the batch.
    ///
    /// The centre is that of the batches before for all parts, so their gradients add up to those of the whole batch.
    private func add(
        _ rows: Tensor,
        _ range: Range<Int>,
        share: Double,
        at place: StepPlace,
        to sums: inout Sums
    ) throws {
        let part = try rows.narrowed(0, range)
        let views = try crops.ranges.indices.map { index in
            try part.narrowed(1, crops.ranges[index])
                .reshaped([range.count] + crops.shapes[index])
        }
        lastCrops = views
        let globals = Array(views.prefix(plan.options.globalCropsNumber))
        let dtype = plan.policy.autocastDType
        let teacher = try withoutGradient { () throws(TorchError) in
            try ComputePolicy.autocast(dtype) { () throws(TorchError) in
                try networks.teacher(globals)
            }
        }
        let student = try ComputePolicy.autocast(dtype) { () throws(TorchError) in
            try networks.student(views).logits
        }
        let outputs = try teacher.logits.to(.float32)
        let terms = try loss(
            student: student,
            teacher: outputs,
            center: networks.center,
            teacherTemp: schedules.teacherTemp(epoch: place.epoch)
        )
        let value = share == 1 ? terms.loss : try terms.loss * share
        try value.backward(scaledBy: scaler)
        sums.loss.append(try value.detached())
        sums.entropy.append(try terms.entropy * share)
        sums.answers = try sum(sums.answers, terms.answers)
        sums.outputs = try sum(sums.outputs, outputs.sum([0], keepDims: true))
        sums.features.append(try teacher.features.to(.float32))
    }

    private func sum(_ before: Tensor?, _ more: Tensor) throws(TorchError) -> Tensor {
        guard let before else { return more }
        return try before + more
    }

    /// Reads what the step is judged and watched by from the device, at once.
    private func numbers(_ sums: Sums, rows: Int) throws -> StepNumbers {
        guard let answers = sums.answers else { return StepNumbers() }
        let watched = try DINOWatch.numbers(
            entropy: Tensor.stack(sums.entropy).sum(),
            answers: answers,
            rows: rows,
            features: Tensor.cat(sums.features, dim: 0),
            center: networks.center
        )
        var wanted = [try Tensor.stack(sums.loss).sum()] + watched.map(\.value)
        if let scaler { wanted.append(try scaler.unscale(optimizer.gradients())) }
        let scaled = wanted.count
        if let norm = try optimizer.gradientNorm() { wanted.append(norm) }
        let values = try Tensor.stack(wanted).floats()
        var numbers = StepNumbers()
        numbers.loss = Double(values[0])
        if scaler != nil { numbers.overflowed = values[scaled - 1] != 0 }
        numbers.gradientNorm = values.count > scaled ? Double(values[scaled]) : 0
        for (index, named) in watched.enumerated() {
            numbers.others[named.name] = Double(values[index + 1])
        }
        let most = log(Double(plan.options.outDim))
        numbers.others["ln_k"] = numbers.loss / most
        numbers.others["kl_uniform"] = most - (numbers.others["teacher_entropy"] ?? most)
        return numbers
    }

    func takeStep(_ numbers: StepNumbers, at place: StepPlace) throws {
        optimizer.setWeightDecay(schedules.weightDecay.value(at: place.step), ofGroup: 0)
        if let limit = plan.options.clipGrad { try optimizer.limitEachGradient(maxNorm: limit) }
        if place.epoch < plan.options.freezeLastLayer {
            for (name, parameter) in networks.student.namedParameters()
            where name.contains("last_layer") {
                try parameter.tensor.clearGradient()
            }
        }
        try optimizer.step(lr: schedules.learningRate.value(at: place.step))
        try scaler?.update()
        let momentum = schedules.momentum.value(at: place.step)
        try Fused.lerp(followers, towards: leaders, weight: 1 - momentum)
        if let batchCenter {
            let kept = plan.options.centerMomentum
            try networks.center.copy(from: networks.center * kept + batchCenter * (1 - kept))
        }
    }

    func leaveOutStep() throws { try scaler?.update() }

    /// The part of a run that is measured for its estimate.
    func estimated() -> EstimatedRun {
        beginEpoch()
        let configuration = networks.description.configuration
        let side = Double(configuration.imageSize.height)
        // Of a crop the multiplications grow with its area, those of attention faster.
        let areas = crops.shapes.map { Double($0[1] * $0[2]) / (side * side) }
        let large = areas.prefix(plan.options.globalCropsNumber).reduce(0, +)
        let image = Double(configuration.macs)
        // The student's forward and backward pass, and the teacher's forward pass.
        let macs = image * (3 * areas.reduce(0, +) + large)
        let asked = neighbours.map { Double($0.imageCount) } ?? 0
        let interval = Double(plan.options.knnInterval ?? 1)
        return EstimatedRun(
            plan: plan,
            module: networks.student,
            optimizer: optimizer,
            statistics: movingStatistics(),
            macs: macs,
            imageCount: crops.count,
            measured: macs > 0 ? asked / interval * image / macs : 0
        ) { [self] count in
            let place = StepPlace(step: 0, epoch: 0, stepInEpoch: 0, attempt: 0)
            let noise = try Tensor.randn([count, crops.count]).to(plan.policy.device)
            _ = try addGradients(noise, at: place, parts: 1)
            batchCenter = nil
            lastCrops = []
        }
    }

    func clearGradients() throws {
        batchCenter = nil
        lastCrops = []
        try optimizer.clearGradients()
    }

    func diagnosis() -> String {
        NonFiniteDiagnosis.sentence(module, pixels: lastCrops) { nil }
    }

    // MARK: - Measurements

    func measureStart(stop: StopRequest) async throws -> StartScores? {
        guard plan.options.knnStart, let neighbours,
            let pixels = try await neighbours.accuracyOfPixels(stop: stop),
            let network = try await neighbours.accuracy(
                of: networks.teacher.backbone,
                dtype: plan.policy.dtype,
                stop: stop
            )
        else { return nil }
        return StartScores(
            numbers: ["knn_top1_pixels": pixels, "knn_top1": network],
            notice:
                "kNN before the first step: raw pixels \(Self.percent(pixels)), this network "
                + Self.percent(network)
        )
    }

    func measure(
        after place: StepPlace,
        sums: EpochSums,
        stop: StopRequest
    ) async throws -> EpochScores? {
        var scores = EpochScores()
        let done = place.epoch + 1
        if let verdict = DINOWatch.verdict(
            sums.means,
            loss: sums.meanLoss,
            outDim: plan.options.outDim,
            epoch: done,
            warmupEpochs: plan.options.warmupEpochs
        ) {
            scores.notices.append(DINOWatch.sentence(verdict, plan.options))
        }
        guard let neighbours, let interval = plan.options.knnInterval,
            done.isMultiple(of: interval) || done == plan.options.epochs
        else { return scores }
        guard
            let top1 = try await neighbours.accuracy(
                of: networks.teacher.backbone,
                dtype: plan.policy.dtype,
                stop: stop
            )
        else { return nil }
        scores.knnTop1 = top1
        judge(top1, &scores)
        return scores
    }

    /// Ends the run where the accuracy by neighbours was far below its best twice in a row.
    func judge(_ top1: Double, _ scores: inout EpochScores) {
        let best = max(counters["knn_best"] ?? 0, top1)
        counters["knn_best"] = best
        guard let points = plan.options.knnStop, 100 * (best - top1) > points else {
            counters["knn_falls"] = 0
            return
        }
        let falls = (counters["knn_falls"] ?? 0) + 1
        counters["knn_falls"] = falls
        let sentence =
            "the kNN accuracy is \(Self.percent(top1)), the best was \(Self.percent(best))"
        if falls < 2 {
            scores.notices.append("warning: \(sentence): the features get worse")
        } else {
            scores.stopReason =
                "\(sentence): the features get worse; `best` is the best checkpoint; try a lower --lr, a longer "
                + "--warmup-epochs or --momentum-teacher 0.9995, or continue anyway with --resume"
        }
    }

    private static func percent(_ share: Double) -> String {
        String(format: "%.1f %%", 100 * share)
    }

    // MARK: - Checkpoints

    func namedState() -> [(name: String, tensor: Tensor)] {
        networks.namedState(optimizer) + (scaler?.checkpointState() ?? [])
    }

    /// Writes the teacher's backbone: what DINO evaluates.
    func save(to folder: String) throws {
        try ModelDirectory.write(networks.teacher.backbone, networks.description, into: folder)
    }

    /// All weights are among ``namedState()``.
    func load(from folder: String) throws {}
}
