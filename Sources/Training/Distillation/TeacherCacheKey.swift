import Checkpoints
import Datasets
import Foundation
import ImagePipeline
import Torch
import TorchNN
import VisionModels

/// What a teacher's answers to the images of a step depend on: two runs with the same key can share them.
struct TeacherCacheKey: Codable, Equatable, Sendable {
    /// The version of the file's form.
    var format = 1
    /// The fingerprint of the teacher's weights and pre-processing.
    var teacher: String
    /// The fingerprint of the images' names and labels, of the classes' names and of a few images.
    var data: String
    /// How the teacher computes: `float32`, `bfloat16` or `float16`.
    var dtype: String
    /// The images of a step.
    var batch: Int
    /// The steps of an epoch.
    var steps: Int
    /// The classes.
    var classes: Int
    /// What is done to images, by the options' names.
    var options: [String: String]

    /// The settings that change what a step's images look like, but for those of which the key holds what follows.
    static let settings = Settings.of(.supervised).filter {
        $0.effect == .pixels && !$0.isDerivedInTeacherKey
    }

    /// The name of the entry that says which of several processes saw the images.
    private static let processName = "process"

    /// Creates the key of a run.
    ///
    /// - Parameters:
    ///   - plan: The run's plan.
    ///   - student: The student, whose input is the teacher's too.
    ///   - teacher: The teacher's fingerprint.
    ///   - data: The fingerprint of the training images.
    ///   - share: The part of every step's images that this process sees; nil for all of them.
    init(
        _ plan: RunPlan,
        student: ModelDescription,
        teacher: Fingerprint,
        data: Fingerprint,
        share: BatchShare? = nil
    ) {
        let size = student.configuration.imageSize
        var options = [
            "input": "\(student.configuration.inChannels)×\(size.height)×\(size.width)",
            "mean": "\(student.processor.mean)", "std": "\(student.processor.std)",
            // The teacher answers part by part, and other kernels round differently.
            "accumulation": "\(plan.options.accumulation)",
            "kernel_linear": plan.policy.linear.rawValue,
            "kernel_attention": plan.policy.attention.rawValue,
            "kernel_pointwise": plan.policy.pointwise.rawValue,
        ]
        // Files of versions that computed layer by layer have no such entry.
        if plan.policy.encoder != .layers {
            options["kernel_encoder"] = plan.policy.encoder.rawValue
        }
        // Nor have those of the CPU one of these; which GPU of a kind it was does not matter.
        if plan.policy.device != .cpu {
            if plan.options.tf32 { options["tf32"] = "on" }
            options["device"] = String(plan.policy.device.description.prefix { $0 != ":" })
        }
        // Nor have those of versions that turned no image this one.
        if student.processor.appliesOrientation {
            options[Settings.declared.exifOrientation.key] = "on"
        }
        // Nor have files of versions that showed every image equally often.
        if plan.options.sampler != .shuffle {
            let setting = Settings.declared.sampler
            options[setting.key] = setting.text(in: plan.options)
        }
        if let share { options[Self.processName] = "\(share.rank) of \(share.size)" }
        for setting in Self.settings { options[setting.key] = setting.text(in: plan.options) }
        self.teacher = teacher.text
        self.data = data.text
        self.options = options
        dtype = plan.policy.dtype.rawValue
        batch =
            share?.places(inBatchOf: plan.options.batch).count ?? plan.options.batch
        steps = plan.stepsPerEpoch
        classes = plan.classNames.count
    }

    /// The file that an option names: the option itself, or where it ends with `/` one of this key's own in that folder.
    ///
    /// Each of several processes has a file of its own.
    func path(for option: String) -> String {
        guard option.hasSuffix("/") else {
            return option
                + (options[Self.processName].map { "." + $0.replacing(" ", with: "-") } ?? "")
        }
        var fingerprint = Fingerprint()
        for text in [teacher, data, dtype] { fingerprint.add(text) }
        for number in [format, batch, steps, classes] { fingerprint.add(number) }
        for (name, text) in options.sorted(by: { $0.key < $1.key }) {
            fingerprint.add(name)
            fingerprint.add(text)
        }
        return option + fingerprint.text.prefix(16) + ".answers"
    }

    /// Says in words in what two keys differ; empty where they are equal.
    ///
    /// - Parameter other: The key of the run; this one is the file's.
    /// - Returns: What differs, one phrase each.
    func differences(from other: TeacherCacheKey) -> [String] {
        var found: [String] = []
        if format != other.format { found.append("the file format") }
        if teacher != other.teacher { found.append("the teacher") }
        if data != other.data { found.append("the training images or their classes") }
        for (name, mine, theirs) in [
            ("the teacher's number format", dtype, other.dtype),
            ("batch", "\(batch)", "\(other.batch)"),
            ("the steps of an epoch", "\(steps)", "\(other.steps)"),
            ("classes", "\(classes)", "\(other.classes)"),
        ] where mine != theirs {
            found.append("\(name) (\(mine) there, \(theirs) here)")
        }
        for name in Set(options.keys).union(other.options.keys).sorted()
        where options[name] != other.options[name] {
            let (mine, theirs) = (options[name] ?? "absent", other.options[name] ?? "absent")
            found.append("\(name) (\(mine) there, \(theirs) here)")
        }
        return found
    }

    /// The fingerprint of training images: what they are called and what they show, and the bytes of a few.
    static func fingerprint(of dataset: any ImageDataset) -> Fingerprint {
        var fingerprint = Fingerprint()
        fingerprint.add(dataset.count)
        for name in dataset.classNames { fingerprint.add(name) }
        for index in 0..<dataset.count {
            // The folder's place on the disk does not matter.
            let parts = dataset.name(at: index).split(separator: "/").suffix(2)
            fingerprint.add(parts.joined(separator: "/"))
            for label in dataset.labels(at: index) { fingerprint.add(label) }
            if dataset.isMultiLabel { fingerprint.add(-1) }
        }
        let samples = min(dataset.count, 16)
        for sample in 0..<samples {
            let index = sample * dataset.count / samples
            let bytes = try? dataset.fileBytes(at: index)
            let shown = bytes ?? (try? dataset.image(at: index))?.pixels ?? []
            shown.withUnsafeBytes { fingerprint.add($0) }
        }
        return fingerprint
    }
}
